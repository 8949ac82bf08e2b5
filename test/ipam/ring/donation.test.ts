import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { blocksOf, donationOf, giftsFor } from '#ipam/ring/donation.ts'
import type { RingRange, RingRequest } from '#ipam/ring/ring.ts'
import { peer } from './rings.ts'

const stretch = (start: number, end: number): RingRange => ({ start, end })
const size = ({ start, end }: RingRange) => end - start
const sum = (ranges: readonly RingRange[]) => ranges.reduce((total, range) => total + size(range), 0)
const isAligned = (block: RingRange) => Number.isInteger(Math.log2(size(block))) && block.start % size(block) === 0
const within = (ranges: readonly RingRange[], { start, end }: RingRange) =>
  ranges.some(range => range.start <= start && end <= range.end)

/** In order, none touching the next. */
const anyFree: fc.Arbitrary<readonly RingRange[]> = fc
  .uniqueArray(fc.integer({ min: 0, max: 300 }), { maxLength: 12 })
  .map(numbers => numbers.toSorted((a, b) => a - b))
  .map(numbers => Array.from({ length: numbers.length >> 1 }, (_, i) => stretch(numbers[2 * i]!, numbers[2 * i + 1]!)))

/** Every aligned block there is, looked at one by one. */
function blocksIn(free: readonly RingRange[], most: number): readonly RingRange[] {
  const found: RingRange[] = []
  for (let bits = 0; 2 ** bits <= most; bits++)
    for (let start = 0; start <= 300; start += 2 ** bits) found.push(stretch(start, start + 2 ** bits))
  return found.filter(block => within(free, block))
}

const anyRequests: fc.Arbitrary<readonly RingRequest[]> = fc
  .uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'))
  .map(names => names.map(name => ({ ...peer(name), addresses: 4, of: 'z', denied: [] })))

describe('a donation', () => {
  test.each([
    [[[0, 256]], [128, 256]],
    [[[0, 100]], [64, 96]],
    [
      [
        [0, 3],
        [10, 11],
      ],
      [0, 2],
    ],
    [[[5, 6]], undefined],
    [[], undefined],
  ] as const)('of %j is %j', (free, block) => {
    const given = donationOf(free.map(([start, end]) => stretch(start, end)))
    expect(given && [given.start, given.end]).toEqual(block)
  })

  test('is the largest aligned block that leaves the donor at least half of what it has free, and of those the last', () => {
    fc.assert(
      fc.property(anyFree, fc.constantFrom(1, 4, 16), (free, least) => {
        const most = sum(free) / 2
        const blocks = blocksIn(free, most).filter(block => size(block) >= least)
        const largest = Math.max(...blocks.map(size))
        expect(donationOf(free, least)).toEqual(blocks.findLast(block => size(block) === largest))
      }),
    )
  })
})

describe('gifts to several at once', () => {
  test('are one each or none, have no address in common, and were all free', () => {
    fc.assert(
      fc.property(anyRequests, anyFree, fc.constantFrom(1, 4), (requests, free, least) => {
        const { gifts, refused } = giftsFor(requests, free, least)
        const names = [...gifts.map(({ to }) => to.name), ...refused.map(({ name }) => name)]
        expect(names.toSorted()).toEqual(requests.map(({ name }) => name).toSorted())
        for (const [i, { range }] of gifts.entries()) {
          expect([isAligned(range), within(free, range), size(range) >= least]).toEqual([true, true, true])
          for (const other of gifts.slice(i + 1))
            expect(range.end <= other.range.start || other.range.end <= range.start).toBe(true)
        }
      }),
    )
  })

  test('halve what is left each time, and the last ones may go without', () => {
    const requests = ['a', 'b', 'c', 'd'].map(name => ({ ...peer(name), addresses: 1, of: 'z', denied: [] }))
    const { gifts, refused } = giftsFor(requests, [stretch(0, 32)], 4)
    expect(gifts.map(({ range, to }) => [to.name, range.start, range.end])).toEqual([
      ['a', 16, 32],
      ['b', 8, 16],
      ['c', 4, 8],
    ])
    expect(refused).toEqual([requests[3]])
  })
})

describe('a stretch as blocks', () => {
  test('has each address once, in blocks of which no two could be one', () => {
    fc.assert(
      fc.property(fc.nat(2000), fc.nat(500), (start, length) => {
        const blocks = blocksOf(stretch(start, start + length))
        expect(blocks.every(isAligned)).toBe(true)
        expect([start, ...blocks.map(({ end }) => end)]).toEqual([...blocks.map(block => block.start), start + length])
        for (const [i, block] of blocks.slice(1).entries()) {
          const before = blocks[i]!
          expect(size(before) === size(block) && before.start % (2 * size(block)) === 0).toBe(false)
        }
      }),
    )
  })

  test('of all addresses there are is one', () => {
    expect(blocksOf(stretch(0, 2 ** 32))).toEqual([stretch(0, 2 ** 32)])
  })
})
