import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { InterfaceAddress, LinkState } from '#system/network/network.ts'
import { type MadeAttachment, type NodeNow, nodeFindings, type PodNow, podFindings } from '#verify/pods/attachments.ts'
import { cidr, ip } from '../../support/objects.ts'

// What an ADD made, and what is there now: each thing that is missing or otherwise, and the change that mends it.

function link(index: number, name: string, more: Partial<LinkState> = {}): LinkState {
  const state = { isUp: true, operState: 'up', isPromiscuous: false }
  return { index, name, kind: '', mac: '02:00:00:00:00:01', mtu: 1500, ...state, ...more }
}

function at(text: string, on: number, prefixLength = 24): InterfaceAddress {
  return { address: ip(text), prefixLength, link: on, scope: 'global', isTentative: false, hasDadFailed: false }
}

const MADE: MadeAttachment = {
  ...{ pod: 'shop/web', network: 'pods', netns: '/run/netns/web', ifname: 'eth0', bridge: 'cni0', port: 'veth0a' },
  ips: [
    { address: ip('10.244.1.7'), prefixLength: 24, gateway: ip('10.244.1.1') },
    { address: ip('fd00:244::7'), prefixLength: 64, gateway: ip('fd00:244::1') },
  ],
  routes: [
    { dst: cidr('0.0.0.0/0'), gateway: ip('10.244.1.1') },
    { dst: cidr('192.0.2.0/24') },
    { dst: cidr('::/0'), gateway: ip('fd00:244::1') },
  ],
  isGateway: true,
}
const BRIDGE = link(5, 'cni0', { kind: 'bridge' })
const PORT = link(6, 'veth0a', { kind: 'veth', master: 5 })
const OTHER = link(7, 'other0', { kind: 'bridge' })
const NODE: NodeNow = {
  links: [link(1, 'lo'), OTHER, BRIDGE, PORT],
  addresses: [at('10.244.1.1', 5), at('fd00:244::1', 5, 64)],
  forwards: { ipv4: true, ipv6: true },
}
const POD: PodNow = {
  link: link(2, 'eth0', { kind: 'veth', peer: 6 }),
  addresses: [at('10.244.1.7', 2), at('fd00:244::7', 2, 64)],
  routes: {
    ipv4: [
      { destination: cidr('0.0.0.0/0'), gateway: ip('10.244.1.1'), link: 'eth0' },
      { destination: cidr('192.0.2.0/24'), link: 'eth0' },
    ],
    ipv6: [{ destination: cidr('::/0'), gateway: ip('fd00:244::1'), link: 'eth0' }],
  },
}

const nodeWith = (more: Partial<NodeNow>) => nodeFindings([MADE], { ...NODE, ...more })
const podWith = (pod: Partial<PodNow>, node: Partial<NodeNow> = {}) =>
  podFindings(MADE, { ...POD, ...pod }, { ...NODE, ...node })

type Findings = ReturnType<typeof nodeFindings>
const units = (findings: Findings) => findings.map(({ difference: { kind, unit } }) => `${kind} ${unit}`)

test('nothing is found where all is as it was made', () => {
  expect([nodeWith({}), podWith({})]).toEqual([[], []])
})

describe('of the node', () => {
  test('a bridge that is gone takes its pods with it, and nothing mends it', () => {
    const [gone, ...others] = nodeWith({ links: [PORT], addresses: [] })
    expect(gone).toEqual({
      difference: {
        ...{ kind: 'missing', part: 'attachments', unit: 'bridge cni0', owners: ['shop/web'], found: [], wanted: [] },
        ...{ alike: 0, means: 'the pod of this bridge reach nothing; they must be made anew' },
      },
    })
    expect(others).toEqual([])
  })

  test('a link that only has the name of the bridge is none', () => {
    expect(units(nodeWith({ links: [link(5, 'cni0', { kind: 'dummy' }), PORT] }))).toEqual(['missing bridge cni0'])
  })

  test('a bridge that is down and lacks its gateways is mended in that order', () => {
    const found = nodeWith({ links: [{ ...BRIDGE, isUp: false }, PORT], addresses: [at('10.244.1.1', 6)] })
    expect(found.map(({ change }) => change)).toEqual([
      { in: 'node', do: 'up', link: 'cni0' },
      { in: 'node', do: 'address', link: 'cni0', address: { address: '10.244.1.1', prefixLength: 24 } },
      { in: 'node', do: 'address', link: 'cni0', address: { address: 'fd00:244::1', prefixLength: 64 } },
    ])
  })

  test('each thing is found once for all its pods', () => {
    const second = { ...MADE, pod: 'shop/other', port: 'veth0b' }
    const found = nodeFindings([MADE, second], { ...NODE, addresses: [], forwards: { ipv4: false, ipv6: false } })
    expect(units(found)).toEqual([
      'missing address 10.244.1.1/24 of bridge cni0',
      'missing address fd00:244::1/64 of bridge cni0',
      'different setting net.ipv4.ip_forward',
      'different setting net.ipv6.conf.all.forwarding',
    ])
    expect(found[0]!.difference).toMatchObject({
      owners: ['shop/web', 'shop/other'],
      means: expect.stringMatching(/^the 2 pods of this bridge have no gateway/),
    })
  })

  test('a bridge that is no gateway needs neither addresses nor forwarding', () => {
    const bare = { ...NODE, addresses: [], forwards: { ipv4: false, ipv6: false } }
    expect(nodeFindings([{ ...MADE, isGateway: false }], bare)).toEqual([])
  })

  test('forwarding is needed in the families that its pods have', () => {
    const made = { ...MADE, ips: MADE.ips.slice(0, 1) }
    expect(units(nodeFindings([made], { ...NODE, forwards: { ipv4: true, ipv6: false } }))).toEqual([])
  })
})

describe('of a pod', () => {
  test('without its interface nothing else is found, and nothing mends it', () => {
    const found = podWith({ link: undefined, addresses: [], routes: { ipv4: [], ipv6: [] } }, { links: [] })
    expect(units(found)).toEqual(['missing interface eth0 of pod shop/web'])
    expect(found[0]!.change).toBeUndefined()
  })

  test.each<[string, Findings, readonly string[]]>([
    ['its port is gone', podWith({}, { links: [BRIDGE] }), ['missing port veth0a of pod shop/web']],
    [
      'its port is in another bridge, and down',
      podWith({}, { links: [BRIDGE, OTHER, { ...PORT, master: 7, isUp: false }] }),
      ['different port veth0a of pod shop/web', 'different port veth0a of pod shop/web'],
    ],
    [
      'its address has another length',
      podWith({ addresses: [at('10.244.1.7', 2, 16), at('fd00:244::7', 2, 64)] }),
      ['missing address 10.244.1.7/24 of pod shop/web'],
    ],
    [
      'its routes lead elsewhere',
      podWith({
        routes: {
          ipv4: [
            { destination: cidr('0.0.0.0/0'), gateway: ip('10.244.1.9'), link: 'eth0' },
            { destination: cidr('192.0.2.0/24'), link: 'eth1' },
          ],
          ipv6: POD.routes.ipv6,
        },
      }),
      ['missing route 0.0.0.0/0 via 10.244.1.1 of pod shop/web', 'missing route 192.0.2.0/24 of pod shop/web'],
    ],
  ])('%s', (_, found, expected) => {
    expect(units(found)).toEqual(expected)
  })

  test('an address that another host of its network has, too, is not the pod’s own, and nothing mends it', () => {
    const addresses = POD.addresses.map(one => ({ ...one, hasDadFailed: one.address.includes(':') }))
    const [twice, ...others] = podWith({ addresses })
    expect(twice).toEqual({
      difference: {
        ...{ kind: 'different', part: 'attachments', unit: 'address fd00:244::7/64 of pod shop/web', alike: 0 },
        ...{ owners: ['shop/web'], found: ['a duplicate: its check has failed'], wanted: ['of this pod alone'] },
        means: 'connections to fd00:244::7 go to another host of this network, and pod shop/web sends nothing from it',
      },
    })
    expect(others).toEqual([])
  })

  test('a port says where it is and where it should be', () => {
    const inNone = podWith({}, { links: [BRIDGE, { ...PORT, master: 99 }] })[0]
    expect(inNone).toMatchObject({
      difference: { found: ['in no bridge'], wanted: ['in bridge cni0'] },
      change: { in: 'node', do: 'master', link: 'veth0a', master: 'cni0' },
    })
    expect(podWith({}, { links: [BRIDGE, OTHER, { ...PORT, master: 7 }] })[0]!.difference.found).toEqual(['in other0'])
  })

  test('is mended in the order that the kernel needs: port, interface, addresses, routes', () => {
    const found = podWith(
      { link: { ...POD.link!, isUp: false }, addresses: [], routes: { ipv4: [], ipv6: [] } },
      { links: [BRIDGE, { ...PORT, isUp: false }] },
    )
    expect(found.map(({ change }) => change && `${change.in} ${change.do}`)).toEqual([
      'node up',
      'pod up',
      'pod address',
      'pod address',
      'pod route',
      'pod route',
      'pod route',
    ])
    expect(found.at(-1)!.change).toEqual({
      ...{ in: 'pod', do: 'route', netns: '/run/netns/web' },
      route: { destination: '::/0', link: 'eth0', gateway: 'fd00:244::1' },
    })
  })
})

test('whatever is taken away is found, and nothing else', () => {
  const some = <T>(all: readonly T[]) => fc.subarray([...all])
  fc.assert(
    fc.property(
      some(NODE.addresses),
      some(POD.addresses),
      some(POD.routes.ipv4),
      some(POD.routes.ipv6),
      (gateways, addresses, ipv4, ipv6) => {
        const node = { ...NODE, addresses: gateways }
        const found = [
          ...nodeFindings([MADE], node),
          ...podFindings(MADE, { ...POD, addresses, routes: { ipv4, ipv6 } }, node),
        ]
        expect(found).toHaveLength(7 - gateways.length - addresses.length - ipv4.length - ipv6.length)
        expect(new Set(units(found)).size).toBe(found.length)
        expect(found.every(({ change }) => change !== undefined)).toBe(true)
      },
    ),
  )
})
