import { describe, expect, test } from 'vitest'
import {
  addBridge,
  addVeth,
  addVlan,
  addVxlan,
  changeBridgePort,
  changeLink,
  deleteLink,
  linksOf,
} from '#dialects/iproute/links.ts'
import { ip } from '../../support/objects.ts'

// As iproute2 6.1 prints links with -details, cut down to what is of interest.

const COMMON = '"mtu":1500,"address":"02:00:00:00:00:01"'
const LISTED = `[
{"ifindex":1,"ifname":"lo","flags":["LOOPBACK"],"mtu":65536,"operstate":"DOWN","promiscuity":0},
{"ifindex":3,"link":"v0","ifname":"v1","flags":["PROMISC","UP","LOWER_UP"],"operstate":"UP",${COMMON},
  "linkinfo":{"info_kind":"veth"},"ifalias":"it's a \\"veth\\" \\\\ é"},
{"ifindex":4,"link":"v1","ifname":"v0","flags":["UP","M-DOWN"],"operstate":"LOWERLAYERDOWN","master":"cni0",${COMMON},
  "linkinfo":{"info_kind":"veth","info_slave_kind":"bridge",
    "info_slave_data":{"state":"forwarding","hairpin":true,"isolated":false}}},
{"ifindex":5,"link_index":2,"link_netnsid":0,"ifname":"v2","flags":[],"operstate":"DOWN",${COMMON},
  "linkinfo":{"info_kind":"veth","info_slave_kind":"bond","info_slave_data":{"state":"ACTIVE"}},"master":"far-away"},
{"ifindex":6,"ifname":"cni0","flags":["UP"],"operstate":"UP",${COMMON},
  "linkinfo":{"info_kind":"bridge","info_data":{"vlan_filtering":1}}},
{"ifindex":7,"ifname":"cni1","flags":["UP"],"operstate":"UP",${COMMON},"linkinfo":{"info_kind":"bridge"}},
{"ifindex":8,"ifname":"vx4","flags":["UP"],"operstate":"UNKNOWN",${COMMON},
  "linkinfo":{"info_kind":"vxlan","info_data":{"id":77,"local":"10.1.0.1","port":4789}}},
{"ifindex":9,"ifname":"vx6","flags":["UP"],"operstate":"UNKNOWN",${COMMON},
  "linkinfo":{"info_kind":"vxlan","info_data":{"id":0,"local6":"fd00::1","port":8472}}},
{"ifindex":10,"link":"v0","ifname":"v0.7","flags":["UP"],"operstate":"UP",${COMMON},"linkinfo":{"info_kind":"vlan"}}]`

describe('the links that are printed', () => {
  const links = new Map(linksOf(LISTED).map(link => [link.state.name, link]))
  const state = (name: string) => links.get(name)?.state

  test('have their name, number, kind and state', () => {
    expect(state('lo')).toEqual({
      ...{ index: 1, name: 'lo', kind: '', mac: '', mtu: 65536, isUp: false, operState: 'down', isPromiscuous: false },
    })
    expect(state('v1')).toMatchObject({ isUp: true, isPromiscuous: true, operState: 'up', alias: `it's a "veth" \\ é` })
    expect(state('v0')?.operState).toBe('lowerlayerdown')
  })

  test('of a pair know the other end, by name in the same namespace and by number in another', () => {
    expect([state('v1')?.peer, state('v0')?.peer, state('v2')?.peer]).toEqual([4, 3, 2])
    expect(state('v0.7')).not.toHaveProperty('peer')
  })

  test('in a bridge know its number, and how they are ports of it; ports of other things do not', () => {
    expect(links.get('v0')).toMatchObject({
      state: { master: 6 },
      port: { state: 'forwarding', hasHairpin: true, isIsolated: false },
    })
    expect(links.get('v2')).not.toHaveProperty('port')
    expect(state('v2')).not.toHaveProperty('master')
  })

  test('that are a bridge say whether it heeds VLANs, and a VXLAN what it is', () => {
    expect([state('cni0')?.isVlanFiltering, state('cni1')?.isVlanFiltering]).toEqual([true, false])
    expect(state('v1')).not.toHaveProperty('isVlanFiltering')
    expect(state('vx4')?.vxlan).toEqual({ vni: 77, port: 4789, local: '10.1.0.1' })
    expect(state('vx6')?.vxlan).toEqual({ vni: 0, port: 8472, local: 'fd00::1' })
  })

  test('are none where nothing is printed', () => expect(linksOf('\n')).toEqual([]))
})

describe('the command for a link', () => {
  const said = ({ argv }: { readonly argv: readonly string[] }) => argv.join(' ')

  test('has a name only behind a word that says it is one', () => {
    expect(said(addBridge('dev', { mtu: 1450, vlanFiltering: false }))).toBe(
      'ip link add name dev mtu 1450 type bridge vlan_filtering 0',
    )
    expect(said(addBridge('cni0', { mac: '0a:58:0a:f4:00:01' }))).toBe(
      'ip link add name cni0 address 0a:58:0a:f4:00:01 type bridge',
    )
    expect(said(addBridge('cni0', {}))).toBe('ip link add name cni0 type bridge')
    expect(said(addVlan('up', { parent: 'down', id: 7 }))).toBe('ip link add link down name up type vlan id 7')
    expect(said(deleteLink('help'))).toBe('ip link delete dev help')
  })

  test('for a pair says of each end what is its own', () => {
    const near = { name: 'a', mac: '02:00:00:00:00:01', mtu: 1400, master: 'cni0', state: 'up' } as const
    expect(said(addVeth(near, { name: 'b', mac: '02:00:00:00:00:02', mtu: 1300, namespace: '/run/netns/n' }))).toBe(
      'ip link add name a address 02:00:00:00:00:01 mtu 1400 master cni0 up type veth peer name b address 02:00:00:00:00:02 mtu 1300 netns /run/netns/n',
    )
    expect(said(addVeth({ name: 'a' }, { name: 'b' }))).toBe('ip link add name a type veth peer name b')
  })

  test('for a VXLAN has its address where there is one', () => {
    const options = { vni: 77, port: 4789, mac: '02:00:00:00:00:03', mtu: 1450 }
    const rest = 'ip link add name vx address 02:00:00:00:00:03 mtu 1450 type vxlan id 77 dstport 4789 nolearning'
    expect(said(addVxlan('vx', options))).toBe(rest)
    expect(said(addVxlan('vx', { ...options, local: ip('fd00::1') }))).toBe(`${rest} local fd00::1`)
  })

  test('for a change has the words of what is to change, and the kind of link last', () => {
    expect(said(changeLink('a', {}))).toBe('ip link set dev a')
    expect(said(changeLink('a', { master: null }))).toBe('ip link set dev a nomaster')
    const all = { state: 'down', mtu: 1400, mac: '02:00:00:00:00:04', master: 'cni0', promiscuous: 'off' } as const
    expect(said(changeLink('a', { ...all, alias: 'two words', name: 'b', vlanFiltering: 'on' }))).toBe(
      'ip link set dev a down mtu 1400 address 02:00:00:00:00:04 master cni0 promisc off alias two words name b type bridge vlan_filtering 1',
    )
    expect(changeLink('a', { alias: 'two words' }).argv).toContain('two words')
    expect(said(changeBridgePort('a', { hairpin: 'on', isolated: 'off' }))).toBe(
      'ip link set dev a type bridge_slave hairpin on isolated off',
    )
  })
})
