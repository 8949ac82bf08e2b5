import { describe, expect, test } from 'vitest'
import { bridgeConfiguration, ipamType, takenBack } from '#cni/plugins/bridge/configuration.ts'
import { requestOf } from '../../requests.ts'

const configured = (config: object, args = '') => bridgeConfiguration(requestOf({ config, env: { CNI_ARGS: args } }))

describe('a bridge’s configuration', () => {
  test('that says nothing is a plain bridge without addresses', () => {
    expect(configured({})).toEqual({
      bridge: 'cni0',
      isGateway: false,
      isDefaultGateway: false,
      forceAddress: false,
      masquerade: 'none',
      isHairpin: false,
      isPromiscuous: false,
      vlan: 0,
      trunk: [],
      filtersVlans: false,
      preserveDefaultVlan: true,
      checksSpoofing: false,
      isIsolated: false,
      detectsDuplicates: false,
      container: 'up',
    })
  })

  test('a default gateway is a gateway', () => {
    expect(configured({ isDefaultGateway: true })).toMatchObject({ isGateway: true, isDefaultGateway: true })
  })

  test.each([
    [{}, 'none'],
    [{ ipMasqBackend: 'nftables' }, 'none'],
    [{ ipMasq: true }, 'either'],
    [{ ipMasq: true, ipMasqBackend: null }, 'either'],
    [{ ipMasq: true, ipMasqBackend: 'iptables' }, 'iptables'],
    [{ ipMasq: true, ipMasqBackend: 'nftables' }, 'nftables'],
  ])('%o masquerades by %s', (config, masquerade) => {
    expect(configured(config).masquerade).toBe(masquerade)
  })

  test('a trunk is its VLANs, each once, in order', () => {
    const { trunk, filtersVlans } = configured({
      vlanTrunk: [{ id: 7 }, { minID: 3, maxID: 5 }, { minID: 4, maxID: 4, id: 2 }],
    })
    expect([trunk, filtersVlans]).toEqual([[2, 3, 4, 5, 7], true])
  })

  test('an MTU of 0 is the kernel’s own', () => {
    expect(configured({ mtu: 0 })).not.toHaveProperty('mtu')
  })

  test.each([
    ['0a:58:0A:f4:01:02', '0a:58:0a:f4:01:02'],
    ['0a-58-0a-f4-01-02', '0a:58:0a:f4:01:02'],
    ['0a58.0af4.0102', '0a:58:0a:f4:01:02'],
  ])('the hardware address %s is %s, from whichever place has the last word', (written, mac) => {
    const args = { args: { cni: { mac: written } } }
    expect(configured({}, `MAC=${written}`).mac).toBe(mac)
    expect(configured(args, 'MAC=02:00:00:00:00:01').mac).toBe(mac)
    expect(
      configured({ runtimeConfig: { mac: written }, args: { cni: { mac: '02:00:00:00:00:02' } } }, 'MAC=junk').mac,
    ).toBe(mac)
    expect(configured({ ...args, runtimeConfig: { mac: '' } }).mac).toBe(mac)
  })

  test.each([
    [{ hairpinMode: true, promiscMode: true }, 'cannot set hairpin mode and promiscuous mode at the same time'],
    [
      { disableContainerInterface: true, ipam: { type: 'host-local' } },
      'cannot use IPAM when DisableContainerInterface flag is set',
    ],
    [{ bridge: 'a/b' }, 'bridge: "a/b" is not the name of an interface'],
    [{ bridge: 'a-bridge-too-long' }, 'up to 15 characters'],
    [{ isGateway: 'yes' }, 'isGateway: "yes" is not true or false, without quotes'],
    [{ mtu: 20 }, 'mtu: 20 is not a whole number from 68 to 65535'],
    [{ vlan: 4095 }, 'vlan: 4095 is not a whole number from 0 to 4094'],
    [{ vlanTrunk: [{ minID: 0, maxID: 4 }] }, 'vlanTrunk[0].minID: 0 is not a whole number from 1 to 4094'],
    [{ vlanTrunk: [{ maxID: 4 }] }, 'minID and maxID should be configured simultaneously, minID is missing'],
    [{ vlanTrunk: [{ minID: 4 }] }, 'minID and maxID should be configured simultaneously, maxID is missing'],
    [{ vlanTrunk: [{ minID: 5, maxID: 4 }] }, 'minID is greater than maxID in trunk parameter'],
    [{ vlanTrunk: [{ id: 5000 }] }, 'vlanTrunk[0].id: 5000'],
    [{ ipMasqBackend: 'ebtables' }, 'ipMasqBackend: "ebtables" is not "iptables" or "nftables"'],
    [
      { runtimeConfig: { mac: '01:00:5e:00:00:01' } },
      'runtimeConfig.mac: "01:00:5e:00:00:01" is not the address of one',
    ],
    [{ args: { cni: { mac: 'eth0' } } }, 'args.cni.mac: "eth0"'],
  ])('%o is refused: %s', (config, message) => {
    expect(() => configured(config)).toThrow(message)
  })

  test('all that is wrong is said at once', () => {
    expect(() => configured({ isGateway: 1, mtu: 'big' }, 'MAC=none')).toThrow(/mtu.*MAC in CNI_ARGS.*isGateway/)
  })

  test('DEL takes from it what it can, whatever is wrong with the rest', () => {
    const request = requestOf({
      command: 'DEL',
      config: { vlan: 'x', mtu: -1, ipMasq: true, ipMasqBackend: 'none', macspoofchk: true, ipam: { type: 'dhcp' } },
    })
    expect([ipamType(request), takenBack(request)]).toEqual(['dhcp', { masquerade: 'either', checksSpoofing: true }])
  })
})
