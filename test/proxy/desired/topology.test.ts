import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { KnownEndpoint } from '#proxy/cluster/slices.ts'
import type { ThisNode } from '#proxy/desired/this-node.ts'
import { topology } from '#proxy/desired/topology.ts'
import { endpoint } from '../../support/objects.ts'

const NODE: ThisNode = { family: 'ipv4', nodeName: 'here', zone: 'a', masquerade: 'never' }

type Hints = Pick<KnownEndpoint, 'forNodes' | 'forZones'>

/** Which of them are near, by their place in the list. */
function near(hints: readonly Hints[], node = NODE): readonly number[] {
  const ready = hints.map((one, i): KnownEndpoint => ({ ...endpoint(`10.1.0.${i}`), ...one, port: 80, text: `${i}` }))
  const isNear = topology(ready, node)
  return ready.flatMap((one, i) => (isNear(one) ? [i] : []))
}

test.each([
  ['those for this node, where all have hints for nodes', [{ forNodes: ['here'] }, { forNodes: ['there'] }], [0]],
  ['all, where one has no hint', [{ forNodes: ['here'] }, {}], [0, 1]],
  ['all, where none is for this node', [{ forNodes: ['there'] }, { forNodes: [] }], [0, 1]],
  ['those for its zone', [{ forZones: ['a', 'b'] }, { forZones: ['b'] }], [0]],
  ['all, where no hint has its zone', [{ forZones: ['b'] }, { forZones: ['c'] }], [0, 1]],
  [
    'those for this node rather than those for its zone',
    [
      { forNodes: ['here'], forZones: ['b'] },
      { forNodes: ['there'], forZones: ['a'] },
    ],
    [0],
  ],
  [
    'those for its zone, where hints for nodes are not for this one',
    [
      { forNodes: ['there'], forZones: ['b'] },
      { forNodes: ['there'], forZones: ['a'] },
    ],
    [1],
  ],
] as const)('near are %s', (_, hints, expected) => {
  expect(near(hints)).toEqual(expected)
})

test('a node of no zone has no use for zones', () => {
  const { zone: _, ...unzoned } = NODE
  expect(near([{ forZones: ['a'] }, { forZones: [''] }], unzoned)).toEqual([0, 1])
})

test('whatever the hints, a node with ready endpoints is near to one of them', () => {
  const names = fc.option(fc.array(fc.constantFrom('here', 'there', 'a', 'b'), { maxLength: 2 }), { nil: undefined })
  const hints = fc.tuple(names, names).map(
    ([forNodes, forZones]): Hints => ({
      ...(forNodes !== undefined && { forNodes }),
      ...(forZones !== undefined && { forZones }),
    }),
  )
  fc.assert(
    fc.property(fc.array(hints, { minLength: 1, maxLength: 4 }), all => {
      expect(near(all).length).toBeGreaterThan(0)
    }),
  )
})
