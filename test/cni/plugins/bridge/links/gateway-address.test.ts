import { beforeEach, describe, expect, test } from 'vitest'
import { bridgeConfiguration } from '#cni/plugins/bridge/configuration.ts'
import {
  ensureForwarding,
  ensureGateways,
  ensureVlanLink,
  forwards,
  type GatewayPlan,
} from '#cni/plugins/bridge/links/gateway-address.ts'
import { requestOf } from '../../../requests.ts'
import { PaperNetworks } from '../paper-network.ts'
import { at } from '../rules/masquerades.ts'

let networks: PaperNetworks
beforeEach(() => {
  networks = new PaperNetworks()
  networks.node.put('cni0', { kind: 'bridge' })
})

const GATEWAYS = at('10.1.0.1/16', 'fd00:1::1/64')
const ensure = (more: Partial<GatewayPlan> = {}) =>
  ensureGateways(networks.node, {
    link: 'cni0',
    gateways: GATEWAYS,
    forceAddress: false,
    detectsDuplicates: false,
    ...more,
  })
const has = async (...texts: readonly string[]) => {
  for (const one of at(...texts)) await networks.node.addAddress('cni0', one)
}
const shown = async () =>
  (await networks.node.addresses('cni0')).map(({ address, prefixLength }) => `${address}/${prefixLength}`).sort()

describe('gateways', () => {
  test('are added once, of both families, and used at once', async () => {
    await ensure()
    await ensure()
    expect(networks.calls).toEqual([
      'node addAddress 10.1.0.1 cni0 without DAD',
      'node addAddress fd00:1::1 cni0 without DAD',
    ])
  })

  test('are looked for on the link first where that is asked for', async () => {
    await ensure({ detectsDuplicates: true })
    expect(networks.calls).toEqual(['node addAddress 10.1.0.1 cni0', 'node addAddress fd00:1::1 cni0'])
  })

  test('that another pod adds at the same moment are there', async () => {
    networks.node.refusals.addAddress = 'EEXIST'
    await ensure()
    expect(await shown()).toEqual(['fd00:1::1/64'])
  })

  test.each([
    ['any other IPv4 address', '192.0.2.1/24'],
    ['the same address in another range', '10.1.0.1/24'],
    ['an IPv6 address of the same range', 'fd00:1::7/64'],
    ['an IPv6 address of a wider range', 'fd00:1:0:0:5::1/48'],
    ['an IPv6 address of a narrower one', 'fd00:1::5:7/112'],
  ])('%s is in the way, and replaced by force alone', async (_, other) => {
    await has(other)
    await expect(ensure()).rejects.toMatchObject({
      code: 7,
      message: expect.stringContaining('"cni0" already has an IP address different from'),
    })
    await ensure({ forceAddress: true })
    expect(await shown()).toEqual(['10.1.0.1/16', 'fd00:1::1/64'])
  })

  test('of other IPv6 ranges stand beside them, and what the kernel gave the link', async () => {
    await has('fd00:2::1/64')
    const link = networks.node.found.get('cni0')!
    const [own] = at('fe80::1/64')
    const linkLocal = { ...link.addresses[0]!, ...own!, scope: 'link' }
    networks.node.put('cni0', { ...link, addresses: [...link.addresses, linkLocal] })
    await ensure({ gateways: [...GATEWAYS, ...at('fe80::2/64')] })
    expect(await shown()).toEqual(['10.1.0.1/16', 'fd00:1::1/64', 'fd00:2::1/64', 'fe80::1/64', 'fe80::2/64'])
  })

  test('of one network’s several ranges stand side by side, in whatever order its pods come', async () => {
    const ranges = at('10.1.0.1/16', '10.2.0.1/16')
    await ensure({ gateways: ranges, forceAddress: true })
    await ensure({ gateways: ranges.toReversed(), forceAddress: true })
    expect(await shown()).toEqual(['10.1.0.1/16', '10.2.0.1/16'])
    expect(networks.calls.filter(call => call.includes('deleteAddress'))).toEqual([])
  })

  test('of IPv6 turn it on where the link has it off', async () => {
    networks.node.settings.set('ipv6/conf/cni0/disable_ipv6', '1')
    await ensure()
    expect(networks.node.settings.get('ipv6/conf/cni0/disable_ipv6')).toBe('0')
    networks.node.settings.set('ipv6/conf/cni0/disable_ipv6', '1')
    await ensure({ gateways: at('10.1.0.1/16') })
    expect(networks.node.settings.get('ipv6/conf/cni0/disable_ipv6')).toBe('1')
  })

  test('that cannot be added are named with their link', async () => {
    networks.node.refusals.addAddress = 'EACCES'
    await expect(ensure()).rejects.toThrow('could not add IP address 10.1.0.1/16 to "cni0": cannot do it (EACCES)')
  })
})

describe('forwarding', () => {
  test('is turned on in the families that have a gateway, and only where it is off', async () => {
    networks.node.settings.set('ipv4/ip_forward', '1\n')
    await ensureForwarding(networks.node, GATEWAYS)
    expect(networks.calls).toEqual(['node changeSetting ipv6/conf/all/forwarding'])
  })

  test.each([
    ['1', true],
    ['2', true],
    ['0', false],
    [undefined, false],
  ])('that the kernel says is %s is %s', async (value, isOn) => {
    if (value !== undefined) networks.node.settings.set('ipv6/conf/all/forwarding', value)
    expect(await forwards(networks.node, 'ipv6')).toBe(isOn)
  })
})

describe('what carries the gateway of a VLAN', () => {
  const options = bridgeConfiguration(requestOf({ config: { vlan: 5, isGateway: true } }))
  const part = () => networks.node.memberships.get('cni0')?.map(({ id }) => id)

  test('is made once, is up, and takes part in that VLAN of the bridge', async () => {
    await ensureVlanLink(networks.node, options)
    await ensureVlanLink(networks.node, options)
    expect(await networks.node.link('cni0.5')).toMatchObject({ kind: 'vlan', isUp: true })
    expect(networks.calls).toEqual(['node addVlan cni0.5', 'node addVlans cni0', 'node changeLink cni0.5'])
    expect(part()).toEqual([5])
  })

  test('is the reference plugin’s pair where that is there', async () => {
    networks.node.put('cni0.5', { kind: 'veth', isUp: true })
    await ensureVlanLink(networks.node, options)
    expect(networks.calls).toEqual([])
  })

  test('that another pod makes at the same moment is there', async () => {
    networks.node.refusals.addVlan = 'EEXIST'
    networks.node.link = async () => undefined
    networks.node.put('cni0.5', { kind: 'vlan' })
    await ensureVlanLink(networks.node, options)
    expect(part()).toEqual([5])
  })
})
