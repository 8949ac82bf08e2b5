import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Journal, learned, minus, NOTHING_KNOWN, withFence } from '#ipam/ring/journal.ts'
import { emptyRing, type RingRange, rangesOf } from '#ipam/ring/ring.ts'
import { ADDRESSES, anyRing, anyStretch, END, FIRST, peer, RANGE, ringOf } from './rings.ts'

const SELF = peer('a')
const holds = (ranges: readonly RingRange[], address: number) =>
  ranges.some(({ start, end }) => start <= address && address < end)
/** As a row of 0 and 1, one for each address. */
const shown = (ranges: readonly RingRange[]) => ADDRESSES.map(address => (holds(ranges, address) ? '1' : '0')).join('')

const anyFence = fc
  .record({ range: anyStretch, version: fc.constantFrom('7', '8') })
  .map(({ range, version }) => ({ ...range, version }))
/** What some earlier ring has left. */
const anyJournal: fc.Arbitrary<Journal> = fc
  .record({ ring: anyRing, fences: fc.array(anyFence, { maxLength: 3 }) })
  .map(({ ring, fences }) => fences.reduce(withFence, { ranges: rangesOf(ring, SELF), fences: [] } as Journal))

describe('a range without others', () => {
  test('has the addresses that none of them has, in order, in as few parts as can be', () => {
    fc.assert(
      fc.property(anyStretch, fc.array(anyStretch, { maxLength: 5 }), (range, others) => {
        const left = minus(range, others)
        expect(left.every(({ start, end }) => start < end)).toBe(true)
        for (const [i, part] of left.slice(1).entries()) expect(left[i]!.end).toBeLessThan(part.start)
        const expected = ADDRESSES.map(one => (holds([range], one) && !holds(others, one) ? '1' : '0')).join('')
        expect(shown(left)).toBe(expected)
      }),
    )
  })

  test('keeps what else is said of it', () => {
    expect(minus({ start: 0, end: 9, epoch: 4 }, [{ start: 3, end: 5 }])).toEqual([
      { start: 0, end: 3, epoch: 4 },
      { start: 5, end: 9, epoch: 4 },
    ])
  })
})

describe('what a node learns from the ring', () => {
  test('is what has come and what was taken, of which nothing is what it gives away itself', () => {
    fc.assert(
      fc.property(anyJournal, anyRing, fc.array(anyStretch, { maxLength: 2 }), (before, ring, giving) => {
        const after = learned({ before, ring, version: '8', peer: SELF, giving })
        const mine = rangesOf(ring, SELF)
        expect(after.journal.ranges).toEqual(mine)
        const gained = ADDRESSES.map(one => (holds(mine, one) && !holds(before.ranges, one) ? '1' : '0')).join('')
        const isTaken = (one: number) => holds(before.ranges, one) && !holds(mine, one) && !holds(before.fences, one)
        const lost = ADDRESSES.map(one => (isTaken(one) ? '1' : '0')).join('')
        expect([shown(after.gained), shown(after.lost)]).toEqual([gained, lost])
      }),
    )
  })

  test('the second time is nothing, and the journal is the same object, so that nothing is written', () => {
    fc.assert(
      fc.property(anyJournal, anyRing, (before, ring) => {
        const parts = { ring, version: '8', peer: SELF, giving: [] }
        const { journal } = learned({ before, ...parts })
        const again = learned({ before: journal, ...parts })
        expect(again).toEqual({ journal, ring, gained: [], lost: [] })
        expect(again.journal).toBe(journal)
      }),
    )
  })

  test.each([undefined, emptyRing(RANGE)])('takes nothing away where there is no ring yet, or none divided', ring => {
    const before = {
      ranges: [{ start: FIRST, end: END, epoch: 2 }],
      fences: [{ start: FIRST, end: END, version: '1' }],
    }
    expect(learned({ before, ring, version: '8', peer: SELF, giving: [] })).toMatchObject({ gained: [], lost: [] })
    expect(learned({ before, ring, version: '8', peer: SELF, giving: [] }).journal).toBe(before)
  })

  test('a node that was made anew under its name has lost all that the one before had', () => {
    const before = { ranges: [{ start: FIRST, end: END, epoch: 1 }], fences: [] }
    const ring = ringOf([], { ...peer('a', 'other'), start: FIRST, epoch: 2 })
    expect(learned({ before, ring, version: '8', peer: SELF, giving: [] })).toMatchObject({
      ...{ journal: NOTHING_KNOWN, gained: [], lost: [{ start: FIRST, end: END, epoch: 1 }] },
    })
  })
})

describe('a fence', () => {
  const half = { start: FIRST, end: FIRST + 8 }
  const ring = ringOf([], { ...SELF, start: FIRST, epoch: 1 })
  const left = (version: string, giving: readonly RingRange[] = []) => {
    const before = withFence({ ranges: rangesOf(ring, SELF), fences: [] }, { ...half, version: '7' })
    return learned({ before, ring, version, peer: SELF, giving }).journal.fences
  }

  test('stands while the write that gives the addresses away may yet arrive', () => {
    expect(left('7')).toEqual([{ ...half, version: '7' }])
  })

  test('falls once another write has: the addresses are given to pods again', () => {
    expect(left('8')).toEqual([])
  })

  test('stands, whatever the version, while this process is about to give the addresses away', () => {
    expect([left('8', [half]), left('8', [{ ...half, end: half.end - 1 }])]).toEqual([[{ ...half, version: '7' }], []])
  })

  test('takes the place of an older one around the same addresses, and of no other', () => {
    const other = { start: FIRST + 8, end: END, version: '7' }
    const fences = [{ ...half, version: '7' }, other, { ...half, version: '8' }].reduce(withFence, NOTHING_KNOWN).fences
    expect(fences).toEqual([other, { ...half, version: '8' }])
  })
})
