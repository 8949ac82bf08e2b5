import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { boundsOf, type RingRange } from '#ipam/ring/ring.ts'
import { freeStretches, setsOfStretches, within } from '#ipam/sources/ring-sets.ts'
import { addressNumber } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'
import { address } from '../../support/leases.ts'

const SUBNET = '10.32.0.32/27' as Cidr
const { start: FIRST, end: END } = boundsOf(SUBNET)
const numbers = (ranges: readonly RingRange[]) =>
  ranges.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, i) => start + i))
/** Apart, in any order, in front of the subnet, in it and behind it. */
const anyStretches = fc
  .uniqueArray(fc.integer({ min: FIRST - 10, max: END + 10 }), { maxLength: 12 })
  .map(cuts => cuts.toSorted((a, b) => a - b))
  .map(cuts => Array.from({ length: cuts.length >> 1 }, (_, i) => ({ start: cuts[2 * i]!, end: cuts[2 * i + 1]! })))
  .chain(stretches => fc.shuffledSubarray(stretches, { minLength: stretches.length }))

describe('what pods may have of a ring', () => {
  test('is what lies in their subnet, in order, without its first and last address', () => {
    fc.assert(
      fc.property(anyStretches, stretches => {
        const expected = numbers(stretches).filter(at => FIRST < at && at < END - 1)
        expect(numbers(within(stretches, SUBNET))).toEqual(expected.toSorted((a, b) => a - b))
      }),
    )
  })

  test('is one set with one gateway, and stretches that touch are one range of it', () => {
    const gateway = address('10.32.0.40')
    fc.assert(
      fc.property(anyStretches, stretches => {
        const touching = stretches.flatMap(({ start, end }) =>
          end - start < 2
            ? [{ start, end }]
            : [
                { start, end: end - 1 },
                { start: end - 1, end },
              ],
        )
        const sets = setsOfStretches(touching, { subnet: SUBNET, gateway })
        const inside = numbers(within(stretches, SUBNET))
        expect(sets.length).toBe(inside.length === 0 ? 0 : 1)
        const ranges = sets
          .flat()
          .map(({ start, end }) => ({ start: Number(addressNumber(start)), end: Number(addressNumber(end)) + 1 }))
        expect(numbers(ranges)).toEqual(inside)
        for (const [i, { start }] of ranges.slice(1).entries()) expect(ranges[i]!.end).toBeLessThan(start)
        for (const range of sets.flat()) expect([range.subnet, range.gateway]).toEqual([SUBNET, gateway])
      }),
    )
  })
})

test('what is free of ranges is all that is not taken, where one that is taken may reach over an end', () => {
  fc.assert(
    fc.property(anyStretches, anyStretches, (ranges, taken) => {
      const sorted = taken.toSorted((a, b) => a.start - b.start)
      const meeting = (range: RingRange) => sorted.filter(({ start, end }) => start < range.end && range.start < end)
      const free = freeStretches(ranges, meeting)
      const isTaken = new Set(numbers(taken))
      expect(numbers(free)).toEqual(numbers(ranges).filter(at => !isTaken.has(at)))
      expect(free.every(({ start, end }) => start < end)).toBe(true)
    }),
  )
})
