import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { joined } from '#ipam/ring/changes.ts'
import { divided, quorum } from '#ipam/ring/division.ts'
import { boundsOf, emptyRing, faultsOf, ownedBy, type Ring, type RingPeer } from '#ipam/ring/ring.ts'
import type { Cidr } from '#values/cidr.ts'
import { peer } from './rings.ts'

const RANGE = '10.32.0.0/12' as Cidr
const named = (count: number): readonly RingPeer[] => Array.from({ length: count }, (_, i) => peer(`n${i}`))
const ringOf = (peers: readonly RingPeer[], range = RANGE): Ring => peers.reduce(joined, emptyRing(range))
const sizes = (ring: Ring) =>
  ring.tokens.map((_, i) => {
    const { start, end } = ownedBy(ring, i)
    return { start, size: end - start }
  })

const peersAndRange = fc.record({
  peers: fc.uniqueArray(
    fc.integer({ min: 0, max: 99 }).map(i => peer(`n${i}`)),
    {
      ...{ minLength: 1, maxLength: 70, selector: ({ name }) => name },
    },
  ),
  range: fc.integer({ min: 8, max: 30 }).map(bits => `10.0.0.0/${bits}` as Cidr),
})

describe('the first division', () => {
  test('three peers share Weave’s range in halves of halves', () => {
    const ring = divided(ringOf([peer('n1'), peer('n2'), peer('n3')]), { mode: 'consensus', peers: 3 })!
    expect(ring.tokens.map(({ start, name, epoch }) => [start.toString(16), name, epoch])).toEqual([
      ['a200000', 'n1', 1],
      ['a280000', 'n2', 1],
      ['a2c0000', 'n3', 1],
    ])
  })

  test('gives all of the range, in shares that are one route each, none more than twice another', () => {
    fc.assert(
      fc.property(peersAndRange, ({ peers, range }) => {
        const ring = divided(ringOf(peers, range), { mode: 'consensus', peers: peers.length })!
        const { start, end } = boundsOf(range)
        expect(faultsOf(ring)).toEqual([])
        const shares = sizes(ring)
        expect(shares.reduce((sum, { size }) => sum + size, 0)).toBe(end - start)
        for (const { start, size } of shares) expect([Math.log2(size) % 1, start % size]).toEqual([0, 0])
        const all = shares.map(({ size }) => size)
        expect(Math.max(...all)).toBeLessThanOrEqual(2 * Math.min(...all))
        expect(new Set(ring.tokens.map(({ name }) => name)).size).toBe(Math.min(peers.length, end - start))
      }),
    )
  })

  test('is the same in whatever order the peers have come', () => {
    fc.assert(
      fc.property(
        peersAndRange.chain(({ peers, range }) =>
          fc.record({
            one: fc.constant(ringOf(peers, range)),
            other: fc.shuffledSubarray([...peers], { minLength: peers.length }).map(turned => ringOf(turned, range)),
          }),
        ),
        ({ one, other }) => {
          const init = { mode: 'consensus', peers: 1 } as const
          expect(divided(one, init)!.tokens).toEqual(divided(other, init)!.tokens)
        },
      ),
    )
  })

  test('is made once: a ring that has tokens is not divided again', () => {
    const ring = divided(ringOf(named(2)), { mode: 'consensus', peers: 2 })!
    expect(divided(joined(ring, peer('n2')), { mode: 'consensus', peers: 3 })).toBeUndefined()
  })
})

describe('who may make it', () => {
  test.each([
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5000, 2501],
  ])('of %d peers, %d: two halves of a cluster cannot both', (peers, needed) => {
    expect(quorum(peers)).toBe(needed)
    expect(divided(ringOf(named(needed - 1)), { mode: 'consensus', peers })).toBeUndefined()
    expect(divided(ringOf(named(needed)), { mode: 'consensus', peers })?.tokens).toHaveLength(needed)
  })

  test('seeds, for those that are not there yet, too; a peer that is no seed gets nothing', () => {
    const init = { mode: 'seed', names: ['b', 'a', 'b'] } as const
    const made = divided(ringOf([peer('z'), peer('a')]), init)!
    expect(made.tokens.map(({ name, uid }) => [name, uid])).toEqual([
      ['a', 'u-a'],
      ['b', ''],
    ])
    expect(divided(emptyRing(RANGE), { mode: 'seed', names: [] })).toBeUndefined()
  })

  test('never an observer, however many there are', () => {
    expect(divided(ringOf(named(9)), { mode: 'observer' })).toBeUndefined()
  })
})
