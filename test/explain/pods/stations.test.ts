import { describe, expect, test } from 'vitest'
import type { KnownPod } from '#explain/names/directory.ts'
import type { NodeNetwork, PodAttachment } from '#explain/pods/attachment.ts'
import { type Landscape, stationsAfter, stationsBefore } from '#explain/pods/stations.ts'
import type { InterfaceAddress, LinkState, NetworkRoute } from '#system/network/network.ts'
import { OVERLAY_LINK } from '#values/overlay-link.ts'
import { cidr, ip, node } from '../../support/objects.ts'

// The places a packet comes by on its node and in its pods, and what of them is not as it should be.

function link(index: number, name: string, more: Partial<LinkState> = {}): LinkState {
  const state = { isUp: true, operState: 'up', isPromiscuous: false }
  return { index, name, kind: '', mac: '02:00:00:00:00:01', mtu: 1500, ...state, ...more }
}

function address(text: string): InterfaceAddress {
  return { address: ip(text), prefixLength: 24, link: 2, scope: 'global', isTentative: false, hasDadFailed: false }
}

const BRIDGE = link(5, 'cni0', { kind: 'bridge' })
const PORT = link(6, 'veth0a', { kind: 'veth', master: 5 })
const MAC = '0a:00:00:00:00:02'
const NETWORK: NodeNetwork = {
  links: [link(2, 'eth0'), BRIDGE, PORT, link(9, OVERLAY_LINK, { kind: 'vxlan' })],
  addresses: [address('192.0.2.1'), address('10.244.1.1')],
  routes: {
    ipv4: [
      { destination: cidr('0.0.0.0/0'), gateway: ip('192.0.2.254'), link: 'eth0' },
      { destination: cidr('10.244.1.0/24'), link: 'cni0' },
      { destination: cidr('10.244.2.0/24'), gateway: ip('10.244.2.0'), link: OVERLAY_LINK },
      { destination: cidr('10.244.0.0/16'), link: 'wrong', table: 100 },
    ],
    ipv6: [{ destination: cidr('2001:db8:1::/64'), link: 'cni0' }],
  },
  tunnels: [{ mac: MAC, host: ip('192.0.2.2') }],
  neighbours: [{ address: ip('10.244.2.0'), mac: MAC }],
}

const ETH0 = link(2, 'eth0', { kind: 'veth', peer: 6 })
const INSIDE: NonNullable<PodAttachment['inside']> = {
  link: ETH0,
  addresses: [address('10.244.1.7')],
  routes: { ipv4: [{ destination: cidr('0.0.0.0/0'), gateway: ip('10.244.1.1'), link: 'eth0' }], ipv6: [] },
}
const ATTACHMENT: PodAttachment = {
  ...{ pod: 'shop/web', network: 'pods', address: ip('10.244.1.7'), ifname: 'eth0', netns: '/run/netns/a' },
  inside: INSIDE,
}

function pod(name: string, on: string, of: string, more: Partial<KnownPod> = {}): KnownPod {
  return { pod: name, node: on, addresses: [ip(of)], isFinished: false, isOnHost: false, ...more }
}

const LANDSCAPE: Landscape = {
  nodeName: 'one',
  nodes: [
    node('one', { addresses: [ip('192.0.2.1')], podCIDRs: [cidr('10.244.1.0/24'), cidr('2001:db8:1::/64')] }),
    node('two', { addresses: [ip('192.0.2.2')], podCIDRs: [cidr('10.244.2.0/24'), cidr('2001:db8:2::/64')] }),
  ],
  pods: [
    pod('shop/ended', 'two', '10.244.2.3', { isFinished: true }),
    pod('shop/far', 'two', '10.244.2.3'),
    pod('shop/host', 'two', '192.0.2.2', { isOnHost: true }),
    pod('shop/six', 'two', '2001:db8:2::3'),
  ],
  network: NETWORK,
  attachments: [ATTACHMENT],
}

const lines = (stations: ReturnType<typeof stationsAfter>) => stations.map(({ at, text }) => `${at}: ${text}`)

describe('before the rules', () => {
  const ahead = (inside?: Partial<typeof INSIDE> | 'closed', network: NodeNetwork | undefined = NETWORK) => {
    const { inside: whole, ...closed } = ATTACHMENT
    const attachment = inside === 'closed' ? closed : { ...closed, inside: { ...whole!, ...inside } }
    return lines(
      stationsBefore(ip('10.244.1.7'), ip('10.96.0.1'), { ...LANDSCAPE, network, attachments: [attachment] }),
    )
  }
  const nodeWith = (...links: readonly LinkState[]): NodeNetwork => ({ ...NETWORK, links })

  test('stand the interface of the pod, its route, and its port of the bridge', () => {
    expect(ahead()).toEqual([
      'pod shop/web: eth0, 10.244.1.7, route default via 10.244.1.1 dev eth0',
      "node, veth0a: the pod's interface, a port of bridge cni0",
    ])
  })

  test('stands nothing where the sender has no lease here, or this is another machine', () => {
    expect(stationsBefore(ip('203.0.113.7'), ip('10.96.0.1'), LANDSCAPE)).toEqual([])
    expect(stationsBefore(ip('10.244.1.7'), ip('10.96.0.1'), { ...LANDSCAPE, network: undefined })).toEqual([])
  })

  test.each<[string, readonly string[], string]>([
    ['a closed namespace', ahead('closed'), 'pod shop/web: its network namespace /run/netns/a cannot be entered'],
    ['no interface', ahead({ link: undefined }), 'pod shop/web: has no interface eth0: it is attached to nothing'],
    [
      'an interface that is down, without its address and without a route',
      ahead({ link: { ...ETH0, isUp: false }, addresses: [], routes: { ipv4: [], ipv6: INSIDE.routes.ipv6 } }),
      'pod shop/web: eth0, which is down, which lacks 10.244.1.7, and no route leads to 10.96.0.1',
    ],
    ['a port that is gone', ahead({}, nodeWith(BRIDGE)), "node: the other end of the pod's interface is gone"],
    [
      'a link that only has the number of the port',
      ahead({}, nodeWith(BRIDGE, link(6, 'dummy0', { kind: 'dummy' }))),
      "node: the other end of the pod's interface is gone",
    ],
    [
      'a port that is down and in no bridge',
      ahead({}, nodeWith({ ...PORT, isUp: false })),
      "node, veth0a: the pod's interface, which is down, a port of no bridge",
    ],
    [
      'a bridge that is down',
      ahead({}, nodeWith(PORT, { ...BRIDGE, isUp: false })),
      "node, veth0a: the pod's interface, a port of bridge cni0, which is down",
    ],
  ])('%s is said', (_, stations, line) => {
    expect(stations).toContain(line)
  })
})

describe('behind the rules', () => {
  const behind = (endpoint: string, more: Partial<Landscape> = {}) =>
    lines(stationsAfter(endpoint, { ...LANDSCAPE, ...more }))

  test('stands a pod of this node, with its port', () => {
    expect(behind('10.244.1.7:80')).toEqual([
      'node: route 10.244.1.0/24 dev cni0',
      "node, veth0a: the pod's interface, a port of bridge cni0",
      'pod shop/web: eth0, 10.244.1.7',
    ])
  })

  test('stands a pod that lacks its address', () => {
    const attachments = [{ ...ATTACHMENT, inside: { ...INSIDE, addresses: [] } }]
    expect(behind('10.244.1.7:80', { attachments }).at(-1)).toBe('pod shop/web: eth0, which lacks 10.244.1.7')
  })

  test('stands the overlay to the host of another node, and the pod that has the address now', () => {
    expect(behind('10.244.2.3:80')).toEqual([
      `node: route 10.244.2.0/24 via 10.244.2.0 dev ${OVERLAY_LINK}, in VXLAN to 192.0.2.2`,
      'node two: its bridge leads to pod shop/far (10.244.2.3)',
    ])
  })

  test.each([
    ['a neighbour', { neighbours: [] }],
    ['a tunnel', { tunnels: [] }],
  ])('says that the overlay does not know the way where it lacks %s', (_, lack) => {
    expect(behind('10.244.2.3:80', { network: { ...NETWORK, ...lack } })[0]).toMatch(
      /, and the overlay does not know where 10\.244\.2\.0 is$/,
    )
  })

  test.each([
    ['10.244.2.99:80', 'node two: 10.244.2.99 is in its range of pods'],
    ['192.0.2.2:30080', 'node two: 192.0.2.2 is its own'],
    ['203.0.113.7:443', 'node: route default via 192.0.2.254 dev eth0'],
  ])('%s ends at %s', (endpoint, line) => {
    expect(behind(endpoint).at(-1)).toBe(line)
  })

  test('an address of this node needs no route', () => {
    expect(behind('192.0.2.1:80')).toEqual([])
  })

  test('says that no route leads there, and which link of it is down', () => {
    expect(behind('10.244.1.7:80', { network: { ...NETWORK, routes: { ipv4: [], ipv6: [] } } })[0]).toBe(
      'node: no route leads to 10.244.1.7',
    )
    const links = NETWORK.links.map(one => ({ ...one, isUp: one.name !== 'cni0' }))
    expect(behind('10.244.1.7:80', { network: { ...NETWORK, links } })[0]).toBe(
      'node: route 10.244.1.0/24 dev cni0, which is down',
    )
  })

  test.each(['[2001:db8:2::3]:80', '2001:db8:2::3'])('an IPv6 address is one with and without brackets: %s', text => {
    expect(behind(text)).toEqual([
      'node: no route leads to 2001:db8:2::3',
      'node two: its bridge leads to pod shop/six (2001:db8:2::3)',
    ])
  })

  test('of another machine, whose kernel cannot be asked, stands what the objects say', () => {
    const elsewhere = { network: undefined, attachments: [], nodeName: 'two' }
    expect(behind('10.244.2.3:80', elsewhere)).toEqual(['pod shop/far: 10.244.2.3'])
    expect(behind('10.244.1.7:80', elsewhere)).toEqual(['node one: 10.244.1.7 is in its range of pods'])
    expect(behind('no address', elsewhere)).toEqual([])
  })
})

test('of two routes to the same range the one with the lower priority is taken', () => {
  const to = (priority: number, gateway: string): NetworkRoute => ({
    ...{ destination: cidr('10.244.2.0/24'), gateway: ip(gateway), link: 'eth0', priority },
  })
  const routes = { ipv4: [to(100, '192.0.2.3'), to(50, '192.0.2.4')], ipv6: [] }
  expect(lines(stationsAfter('10.244.2.9:80', { ...LANDSCAPE, network: { ...NETWORK, routes } }))[0]).toBe(
    'node: route 10.244.2.0/24 via 192.0.2.4 dev eth0',
  )
})
