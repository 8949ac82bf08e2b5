import fc from 'fast-check'
import type { RouteNode } from '#routes/cluster/route-node.ts'
import { routeNode } from '../stage.ts'

// Random clusters around the node of the stage: on its link, behind a router or both, in one family or two, with ranges of which
// some lie in others or begin where others do.

const anyRange = fc.oneof(
  fc
    .tuple(fc.nat(7), fc.integer({ min: 22, max: 25 }))
    .map(([byte, bits]) => `10.244.${bits === 22 ? byte & 4 : bits === 23 ? byte & 6 : byte}.0/${bits}`),
  fc
    .tuple(fc.nat(3), fc.constantFrom(63, 64))
    .map(([part, bits]) => `fd00:244:0:${bits === 63 ? part & 2 : part}::/${bits}`),
  // The link of the stage, and a part of it.
  fc.constantFrom('192.0.2.0/24', '192.0.2.0/29', '2001:db8::/64'),
)

function anyNode(name: string, number: number): fc.Arbitrary<RouteNode> {
  const addresses = [`192.0.2.${number}`, `198.51.100.${number}`, `2001:db8::${number}`, `2001:db8:6::${number}`]
  return fc
    .record({
      addresses: fc.shuffledSubarray(addresses, { maxLength: 3 }),
      ranges: fc.uniqueArray(anyRange, { maxLength: 3 }),
    })
    .map(one => routeNode(name, one.addresses, one.ranges))
}

/** Nodes beside this one, in the order of names. */
export const anyOthers: fc.Arbitrary<readonly RouteNode[]> = fc
  .tuple(...['node-b', 'node-c', 'node-d', 'node-e'].map((name, i) => anyNode(name, i + 2)))
  .chain(nodes => fc.subarray(nodes))

export const anyOverlay = fc.constantFrom('auto' as const, 'none' as const, 'vxlan' as const)
