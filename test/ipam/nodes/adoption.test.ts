import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type AdoptedHoldersParts, adopted, type ListedNode, listedNode } from '#ipam/nodes/adoption.ts'
import type { BlockHolder } from '#ipam/nodes/record/block-record.ts'
import { recordFaults } from '#ipam/nodes/record/block-record.ts'
import type { Cidr } from '#values/cidr.ts'

const NOW = 50_000
const GRACE_MS = 1000

const node = (name: string, ...podCIDRs: readonly string[]): ListedNode => ({
  ...{ name, uid: `u-${name}`, podCIDRs: podCIDRs as Cidr[], deleting: false },
})
const holder = (name: string, ...blocks: readonly string[]): BlockHolder => ({
  ...{ name, uid: `u-${name}`, blocks: blocks as Cidr[] },
})
const proof = (...names: readonly `${string} ${'alive' | 'deleted'}`[]) =>
  new Map(names.map(text => text.split(' ')).map(([name, what]) => [`u-${name}`, what as 'alive' | 'deleted']))

function looked(
  holders: readonly BlockHolder[] | undefined,
  nodes: readonly ListedNode[],
  more: Partial<AdoptedHoldersParts> = {},
) {
  const record = holders && { holders, last: [], revision: 1 }
  return adopted({ record, nodes, proven: new Map(), now: NOW, graceMs: GRACE_MS, ...more })
}

const names = (holders: readonly { readonly name: string }[]) => holders.map(({ name }) => name)
const reasons = ({ findings }: ReturnType<typeof adopted>) => findings.map(one => `${one.node.name} ${one.reason}`)

describe('where there is no record yet', () => {
  test('nodes hold what is in their objects, in the order of names; those without hold nothing', () => {
    const nodes = [node('c', '10.0.2.0/24'), node('b'), node('a', '10.0.1.0/24', 'fd00::/64')]
    const { holders, doubts } = looked(undefined, nodes)
    expect([holders, doubts]).toEqual([[holder('a', '10.0.1.0/24', 'fd00::/64'), holder('c', '10.0.2.0/24')], []])
  })

  test('of two nodes with the same addresses, the second is contested once both are proven to be there', () => {
    const nodes = [node('a', '10.0.0.0/23'), node('b', '10.0.1.0/24')]
    expect(looked(undefined, nodes).doubts).toEqual([{ name: 'b', uid: 'u-b' }])
    const both = looked(undefined, nodes, { proven: proof('b alive') })
    expect(both.holders).toEqual([holder('a', '10.0.0.0/23'), { ...holder('b', '10.0.1.0/24'), contested: true }])
    expect([both.doubts, reasons(both)]).toEqual([[], ['b CIDRConflict']])
    // Its object was in an old list alone.
    const one = looked(undefined, nodes, { proven: proof('b deleted') })
    expect([names(one.holders), names(one.nodes), one.findings]).toEqual([['a'], ['a'], []])
  })
})

describe('a holder whose Node is in no list', () => {
  test('keeps its blocks while it is in doubt, and where it is there all the same', () => {
    const unseen = looked([holder('a', '10.0.0.0/24')], [])
    expect([unseen.holders, unseen.doubts]).toEqual([[holder('a', '10.0.0.0/24')], [{ name: 'a', uid: 'u-a' }]])
    const there = looked([holder('a', '10.0.0.0/24')], [], { proven: proof('a alive') })
    expect([there.holders, there.doubts]).toEqual([[holder('a', '10.0.0.0/24')], []])
  })

  test('that is deleted keeps them for the grace, to the millisecond, and is not asked for again', () => {
    const gone = looked([holder('a', '10.0.0.0/24')], [], { proven: proof('a deleted') })
    expect(gone.holders).toEqual([{ ...holder('a', '10.0.0.0/24'), goneSince: NOW }])
    const at = (now: number) => looked(gone.holders, [], { now })
    expect([names(at(NOW + GRACE_MS - 1).holders), names(at(NOW + GRACE_MS).holders)]).toEqual([['a'], []])
    expect(at(NOW + 1).doubts).toEqual([])
    // A clock that is behind that of the controller before.
    expect(names(at(NOW - 60_000).holders)).toEqual(['a'])
  })

  test('does not come back by a list that is behind', () => {
    const before = [{ ...holder('a', '10.0.0.0/24'), goneSince: NOW - 1 }]
    const old = looked(before, [node('a', '10.0.0.0/24')])
    expect([old.holders, old.nodes, old.findings]).toEqual([before, [], []])
  })
})

describe('a Node that is not as recorded', () => {
  test('without podCIDRs yet keeps what is recorded for it', () => {
    expect(looked([holder('a', '10.0.0.0/24')], [node('a')]).holders).toEqual([holder('a', '10.0.0.0/24')])
  })

  test('with others is followed, and comes behind those that had theirs before', () => {
    const before = [holder('a', '10.0.0.0/24'), holder('b', '10.0.1.0/24')]
    const nodes = [node('a', '10.0.1.0/24'), node('b', '10.0.1.0/24')]
    const moved = looked(before, nodes, { proven: proof('a alive') })
    expect(moved.holders).toEqual([holder('b', '10.0.1.0/24'), { ...holder('a', '10.0.1.0/24'), contested: true }])
    expect(reasons(moved)).toEqual(['a CIDRNotAsRecorded', 'a CIDRConflict'])
  })

  test('in the order of its families alone is followed, too: the first is the family of the node', () => {
    const before = [holder('a', '10.0.0.0/24', 'fd00::/64')]
    const turned = looked(before, [node('a', 'fd00::/64', '10.0.0.0/24')])
    expect([turned.holders, reasons(turned)]).toEqual([
      [holder('a', 'fd00::/64', '10.0.0.0/24')],
      ['a CIDRNotAsRecorded'],
    ])
  })
})

test('one that was contested is so no longer when the other is gone, and is not asked for each time until then', () => {
  const before = [holder('a', '10.0.0.0/24'), { ...holder('b', '10.0.0.0/24'), contested: true as const }]
  const nodes = [node('a', '10.0.0.0/24'), node('b', '10.0.0.0/24')]
  const still = looked(before, nodes)
  expect([still.holders, still.doubts, reasons(still)]).toEqual([before, [], ['b CIDRConflict']])
  const gone = looked([{ ...before[0]!, goneSince: NOW - GRACE_MS }, before[1]!], nodes)
  expect([gone.holders, gone.findings]).toEqual([[holder('b', '10.0.0.0/24')], []])
})

test('a Node without a uid is none', () => {
  const { holders, nodes } = looked(undefined, [{ ...node('a', '10.0.0.0/24'), uid: '' }])
  expect([holders, nodes]).toEqual([[], []])
})

test('what counts of a Node is what it holds', () => {
  const podCIDRs = ['10.0.0.0/24'] as Cidr[]
  const labels = { a: 'b' }
  expect(listedNode({ name: 'a', uid: 'u', podCIDRs, deleting: true, labels } as never)).toEqual({
    ...{ name: 'a', uid: 'u', podCIDRs, deleting: true },
  })
})

const anyBlocks = fc.oneof(
  fc.constant([]),
  fc
    .tuple(fc.nat(7), fc.constantFrom(23, 24, 25))
    .map(([byte, bits]) => [`10.0.${bits === 23 ? byte & 6 : byte}.0/${bits}`]),
)
const anyNodes = fc
  .uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e'), anyBlocks), { selector: ([name]) => name })
  .map(all => all.map(([name, blocks]) => node(name, ...blocks)))
const anyProof = fc
  .array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.constantFrom('alive', 'deleted')))
  .map(all => proof(...all.map(([name, what]) => `${name} ${what}` as const)))
/** As a first look at some Nodes has recorded it. */
const anyHolders = fc
  .record({ nodes: anyNodes, goneSince: fc.constantFrom(undefined, NOW - 1, NOW - GRACE_MS) })
  .map(({ nodes, goneSince }) => {
    const { holders } = looked(undefined, nodes)
    return holders.map((one, i) => (i === 0 && goneSince !== undefined ? { ...one, goneSince } : one))
  })

describe('whatever is recorded, listed and proven', () => {
  test('the holders are a sound record, of which each uncontested block is one node’s', () => {
    fc.assert(
      fc.property(anyHolders, anyNodes, anyProof, (before, nodes, proven) => {
        expect(recordFaults(looked(before, nodes, { proven }))).toEqual([])
      }),
    )
  })

  test('a holder leaves the record only when its grace is over, and begins it only when it is proven to be deleted', () => {
    fc.assert(
      fc.property(anyHolders, anyNodes, anyProof, (before, nodes, proven) => {
        const { holders, doubts } = looked(before, nodes, { proven })
        for (const one of before) {
          const now = holders.find(({ uid }) => uid === one.uid)
          if (one.goneSince !== undefined) expect(now === undefined).toBe(NOW - one.goneSince >= GRACE_MS)
          else expect(now?.goneSince !== undefined).toBe(proven.get(one.uid) === 'deleted')
        }
        expect(doubts.every(({ uid }) => !proven.has(uid))).toBe(true)
      }),
    )
  })

  test('the order of the list makes no difference', () => {
    fc.assert(
      fc.property(anyHolders, anyNodes, anyProof, (before, nodes, proven) => {
        expect(looked(before, nodes.toReversed(), { proven })).toEqual(looked(before, nodes, { proven }))
      }),
    )
  })

  test('a second look finds the same holders, and nothing new to doubt', () => {
    fc.assert(
      fc.property(anyHolders, anyNodes, anyProof, (before, listed, proven) => {
        // A list is behind by seconds: what it still has when a grace is over is another node's.
        const over = new Set(names(before.filter(({ goneSince = NOW }) => NOW - goneSince >= GRACE_MS)))
        const nodes = listed.filter(({ name }) => !over.has(name))
        const first = looked(before, nodes, { proven })
        const second = looked(first.holders, nodes, { proven })
        expect(second.holders).toEqual(first.holders)
        for (const one of second.doubts) expect(first.doubts).toContainEqual(one)
      }),
    )
  })
})
