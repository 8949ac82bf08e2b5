import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { kernelState } from '#routes/kernel/kernel-state.ts'
import { vtepMac } from '#routes/plan/vtep.ts'
import { routePlan } from '#routes/plan/wanted.ts'
import { familyOf } from '#values/address.ts'
import { baseAddress, cidrFamily, contains, prefixLength } from '#values/cidr.ts'
import { address, FAR, NEAR, RouteStage, routeNode, SELF, SETTINGS } from '../stage.ts'
import { anyOthers, anyOverlay } from './clusters.ts'

const state = await kernelState(new RouteStage().routing.network)

function planned(others: readonly (typeof NEAR)[], more: Partial<Parameters<typeof routePlan>[0]> = {}) {
  const self = more.self ?? SELF
  return routePlan({ self, cluster: [self, ...others], state, settings: SETTINGS, ...more })
}
const refused = ({ refused }: ReturnType<typeof routePlan>) =>
  refused.map(({ node, range, why }) => `${node} ${range}: ${why}`)

describe('whatever the cluster is', () => {
  test('each range of another node has one route, or is refused with a reason', () => {
    fc.assert(
      fc.property(anyOthers, anyOverlay, (others, overlay) => {
        const plan = planned(others, { settings: { ...SETTINGS, overlay } })
        const all = others.flatMap(({ name, ranges }) => ranges.map(range => `${name} ${range}`))
        const said = [
          ...plan.routes.map(({ node, destination }) => `${node} ${destination}`),
          ...plan.refused.map(({ node, range }) => `${node} ${range}`),
        ]
        expect(said.toSorted()).toEqual(all.toSorted())
        expect(plan.refused.every(({ why }) => why !== '')).toBe(true)
        const destinations = plan.routes.map(({ destination }) => destination)
        expect(new Set(destinations).size).toBe(destinations.length)
      }),
    )
  })

  test('no route takes away the pods of this node, or cuts off a node', () => {
    fc.assert(
      fc.property(anyOthers, anyOverlay, (others, overlay) => {
        const { routes } = planned(others, { settings: { ...SETTINGS, overlay } })
        for (const { destination } of routes) {
          const isOwn = SELF.ranges.some(
            own => prefixLength(own) <= prefixLength(destination) && contains(own, baseAddress(destination)),
          )
          const hosts = [SELF, ...others].flatMap(({ addresses }) => addresses)
          expect([isOwn, hosts.some(host => contains(destination, host))]).toEqual([false, false])
        }
      }),
    )
  })

  test('a route leads to an address of its node on our link, or over the overlay by a gateway of that node alone', () => {
    fc.assert(
      fc.property(anyOthers, anyOverlay, (others, overlay) => {
        const plan = planned(others, { settings: { ...SETTINGS, overlay } })
        for (const { node, destination, gateway, link, isOnLink } of plan.routes) {
          expect(isOnLink).toBe(link === 'switchyard-vx')
          expect(familyOf(gateway)).toBe(cidrFamily(destination))
          const { addresses } = others.find(({ name }) => name === node)!
          if (isOnLink) expect(plan.overlay!.neighbours).toContainEqual({ address: gateway, mac: vtepMac(node) })
          else expect(addresses).toContain(gateway)
        }
        const over = new Set(plan.routes.filter(({ isOnLink }) => isOnLink).map(({ node }) => node))
        if (overlay === 'none') expect(over.size).toBe(0)
        if (overlay === 'vxlan') expect(plan.routes.every(({ isOnLink }) => isOnLink)).toBe(true)
        expect(plan.overlay === undefined).toBe(over.size === 0)
        const { neighbours = [], tunnels = [] } = plan.overlay ?? {}
        expect(new Set(neighbours.map(one => one.address)).size).toBe(neighbours.length)
        expect(tunnels.map(({ mac }) => mac).toSorted()).toEqual([...over].map(vtepMac).toSorted())
      }),
    )
  })
})

describe('to nodes behind a router', () => {
  const far = (name: string, number: number, ...ranges: readonly string[]) =>
    routeNode(name, [`198.51.100.${number}`], ranges)

  test('ranges that begin at one address are those of one node: there is one way to it', () => {
    const both = [far('node-b', 2, '10.244.4.0/23'), far('node-c', 3, '10.244.4.0/24')]
    const plan = planned(both)
    expect(plan.routes.map(({ node, destination }) => `${node} ${destination}`)).toEqual(['node-b 10.244.4.0/23'])
    expect(refused(plan)).toEqual([
      'node-c 10.244.4.0/24: a range of node node-b begins at the same address, and the overlay has one way there',
    ])
    const one = planned([far('node-b', 2, '10.244.4.0/23', '10.244.4.0/24')])
    expect([one.routes.length, one.overlay!.neighbours]).toEqual([
      2,
      [{ address: '10.244.4.0', mac: vtepMac('node-b') }],
    ])
  })

  test('the overlay leads by the first address of its family, however many there are', () => {
    const { overlay } = planned([
      routeNode('node-b', ['2001:db8:6::2', '198.51.100.9', '198.51.100.2'], ['10.244.4.0/24']),
    ])
    expect(overlay!.tunnels).toEqual([{ mac: vtepMac('node-b'), host: '198.51.100.9' }])
  })

  test('what this node sends itself comes from its own addresses, where there are others than those of its ranges', () => {
    const ring = { ...SELF, ranges: routeNode('', [], ['10.32.0.0/13', '10.44.0.0/15', 'fd00:32::/64']).ranges }
    const others = [far('node-b', 2, '10.40.0.0/14')]
    expect(planned(others, { self: ring }).overlay!.addresses).toEqual(['10.32.0.0', 'fd00:32::'])
    expect(planned(others, { self: ring, ownAddresses: [address('10.32.0.1')] }).overlay!.addresses).toEqual([
      '10.32.0.1',
    ])
  })

  test('there is no overlay where this node has none of its addresses, or no way to the other one', () => {
    const behindNat = { ...SELF, addresses: [address('203.0.113.1')] }
    expect(refused(planned([FAR], { self: behindNat }))[0]).toBe(
      'node-f 10.244.6.0/24: no address of this Node is on one of its links, so there can be no overlay',
    )
    const links = {
      ...state,
      routes: { ipv4: state.routes.ipv4.filter(({ gateway }) => gateway === undefined), ipv6: [] },
    }
    expect(refused(planned([FAR], { state: links }))[0]).toBe(
      'node-f 10.244.6.0/24: no route leads to 198.51.100.6, the address of its Node',
    )
  })
})

test('a Node that has no address of a family is refused in it where there is no overlay', () => {
  const plan = planned([{ ...NEAR, addresses: NEAR.addresses.slice(0, 1) }], {
    settings: { ...SETTINGS, overlay: 'none' },
  })
  expect([plan.routes.length, refused(plan)]).toEqual([1, ['node-b fd00:244:2::/64: its Node has no IPv6 address']])
})

test('a range around this node’s own is another node’s all the same: what is nearer wins', () => {
  const { routes } = planned([routeNode('node-b', ['192.0.2.2'], ['10.244.0.0/22', '10.244.1.0/25', '10.244.1.0/24'])])
  expect(routes.map(({ destination }) => destination)).toEqual(['10.244.0.0/22'])
})
