import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { RouteNode } from '#routes/cluster/route-node.ts'
import { FAR, NEAR, RouteStage, routeNode } from './stage.ts'

// Nodes come, go, move and change their ranges; routes, tunnels and the overlay's link are taken away by others; the kernel
// refuses changes; settings differ after a restart. After each step and one more round, the node has what a start from nothing
// would have laid.

const NODES: readonly RouteNode[] = [
  NEAR,
  FAR,
  { ...NEAR, addresses: FAR.addresses },
  { ...FAR, ranges: [...FAR.ranges, ...routeNode('', [], ['10.245.0.0/17', '10.246.8.0/21']).ranges] },
  routeNode('node-g', ['192.0.2.7', '2001:db8::7'], ['10.244.7.0/24']),
  routeNode('node-g', ['198.51.100.7'], ['10.244.7.0/24', 'fd00:244:7::/64']),
  routeNode('node-h', ['192.0.2.8'], ['10.244.2.0/24']),
  routeNode('node-i', ['192.0.2.9'], ['192.0.2.0/25']),
]

type Step = (stage: RouteStage, nodes: Map<string, RouteNode>) => Promise<unknown> | unknown

const CALLS = ['addRoute', 'deleteRoute', 'addVxlan', 'changeLink', 'addAddress'] as const

function steps<T>(values: fc.Arbitrary<T>, make: (value: T) => Step): fc.Arbitrary<Step> {
  return values.map(make)
}

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: steps(fc.constantFrom(...NODES), node => (_, nodes) => nodes.set(node.name, node)) },
  steps(
    fc.constantFrom(...NODES),
    ({ name }) =>
      (_, nodes) =>
        nodes.delete(name),
  ),
  steps(fc.nat(9), last => ({ routing }) => {
    routing.take(({ protocol, destination }) => protocol === 115 && destination.length % 10 === last)
  }),
  steps(fc.constantFrom('byAddress' as const, 'byMac' as const), table => ({ routing }) => {
    routing.neighbours[table].clear()
  }),
  steps(
    fc.constant('switchyard-vx'),
    link =>
      ({ routing }) =>
        routing.deleteLink(link),
  ),
  steps(fc.constantFrom(...CALLS), call => ({ routing }) => {
    routing.refusals[call] = 'ENOMEM'
  }),
  steps(fc.constantFrom('auto' as const, 'vxlan' as const, 'none' as const), overlay => stage => {
    stage.settings = { ...stage.settings, overlay }
  }),
  steps(fc.constantFrom(1, 2), vni => stage => {
    stage.settings = { ...stage.settings, vni }
  }),
)

test('after any steps, the kernel has what a start from nothing would lay, and all that others have made', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async steps => {
      const [stage, nodes] = [new RouteStage(), new Map<string, RouteNode>()]
      const foreign = stage.others
      const sorted = () => [...nodes.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
      for (const take of steps) {
        await take(stage, nodes)
        const { refused } = await stage.round(...sorted())
        // What was refused is made in the next round, or the one after where something stands on it.
        for (let more = refused.length > 0 ? 2 : 0; more > 0; more--) await stage.round(...sorted())
        for (const call of CALLS) delete stage.routing.refusals[call]
        await stage.round(...sorted())
        const fresh = new RouteStage()
        fresh.settings = stage.settings
        await fresh.round(...sorted())
        expect(await whole(stage)).toEqual(await whole(fresh))
        expect(stage.others).toEqual(foreign)
        expect((await stage.round(...sorted())).changes).toEqual([])
      }
    }),
    { numRuns: 150 },
  )
}, 30_000)

async function whole({ routing, laid, tunnels, neighbours }: RouteStage): Promise<object> {
  const link = await routing.link('switchyard-vx')
  const own = (await routing.addresses()).filter(one => one.link === link?.index).map(({ address }) => address)
  const { index: _, ...rest } = link ?? { index: 0 }
  return { laid, tunnels, neighbours, link: rest, own: link === undefined ? [] : own }
}
