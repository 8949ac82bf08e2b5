import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isNearlyFull, statusJson, statusTable } from '#ipam/answers/status-table.ts'
import type { SetUsage } from '#ipam/leases/lease-book.ts'
import type { SetStatus } from '#ipam/leases/lease-view.ts'
import type { RangeSet } from '#ipam/ranges/range-set.ts'
import { range, SMALL, SMALL6 } from '../../support/leases.ts'

// The numbers of `ipam status` add up, whichever sets there are.

interface Words extends Partial<SetUsage> {
  readonly network?: string
  readonly set?: number
  readonly ranges?: RangeSet
  readonly overlap?: 'refuse' | 'allow'
}

function status({ network = 'mynet', set = 0, ranges = SMALL, overlap = 'refuse', ...usage }: Words = {}): SetStatus {
  const counts = { size: 100n, assigned: 0, cooling: 0, elsewhere: 0, oldest: [] }
  return { network, set, ranges, overlap, usage: { ...counts, ...usage } }
}

const lines = (sets: readonly SetStatus[]) => statusTable(sets, 0).split('\n')
const cells = (line: string) => line.split(/ {3,}/)

const count = fc.integer({ min: 0, max: 300 })
const anyStatus = fc
  .record({ size: fc.bigInt({ min: 0n, max: 1n << 64n }), assigned: count, cooling: count, elsewhere: count })
  .chain(counts =>
    fc.record({ ranges: fc.constantFrom(SMALL, SMALL6), n: fc.nat(9) }).map(({ ranges, n }) =>
      // Ranges may have become smaller than what is leased of them.
      status({ ...counts, ranges, network: `net-${n}`, overlap: 'allow' }),
    ),
  )

test('each line adds up, totals are the sums of the lines of their family, and JSON has the same numbers', () => {
  fc.assert(
    fc.property(fc.array(anyStatus, { maxLength: 6 }), sets => {
      const table = lines(sets)
        .slice(1)
        .map(cells)
        .filter(line => line.length > 4)
      const rows = table.slice(0, sets.length)
      const numbers = (row: readonly string[], from: number) => row.slice(from, from + 5).map(BigInt)
      const json = JSON.parse(statusJson(sets)).sets as Record<string, number | string>[]
      for (const [i, row] of rows.entries()) {
        const [size, used, cooling, elsewhere, free] = numbers(row, 2)
        const left = size! - used! - cooling! - elsewhere!
        expect(free).toBe(left > 0n ? left : 0n)
        const { size: s, used: u, cooling: c, elsewhere: e, free: f, full } = json[i]!
        expect([s, u, c, e, f].map(one => BigInt(one!))).toEqual(numbers(row, 2))
        expect(row[7]).toBe(`${full}%`)
        // Where none is free, and nowhere else.
        expect(full === 100).toBe(free === 0n)
      }
      for (const family of ['IPv4', 'IPv6']) {
        const own = rows.filter(([, subnets]) => subnets!.includes(':') === (family === 'IPv6'))
        const total = table.slice(sets.length).find(([title]) => title === `total ${family}`)
        if (own.length < 2) expect(total).toBeUndefined()
        else
          expect(numbers(total!, 1)).toEqual(
            [0, 1, 2, 3, 4].map(i => own.reduce((sum, row) => sum + BigInt(row[2 + i]!), 0n)),
          )
      }
      const warned = lines(sets).filter(line => / free$/.test(line)).length
      expect(warned > 0).toBe(isNearlyFull(sets))
    }),
  )
})

describe('a set', () => {
  test('is nearly full from 90 per cent on, and says how many are left', () => {
    const last = (counts: Words) => lines([status(counts)])[2]
    expect([last({ assigned: 89 }), isNearlyFull([status({ assigned: 89 })])]).toEqual([undefined, false])
    expect(last({ assigned: 80, cooling: 10 })).toBe('mynet: 10 addresses of 10.9.0.1-10.9.0.6 free')
    expect(last({ assigned: 98, elsewhere: 1 })).toBe('mynet: 1 address of 10.9.0.1-10.9.0.6 free')
    expect(last({ assigned: 100 })).toBe('mynet: no address of 10.9.0.1-10.9.0.6 free')
    expect(isNearlyFull([status(), status({ assigned: 90 })])).toBe(true)
  })

  test('without an address to give is full, and one with a single address left of millions is not', () => {
    const full = (counts: Words) => cells(lines([status(counts)])[1]!)[7]
    expect([
      full({ size: 0n }),
      full({ size: 10_001n, assigned: 10_000 }),
      full({ size: 1n << 64n, assigned: 9 }),
    ]).toEqual(['100%', '99.9%', '0%'])
  })

  test('says since when its oldest lease is held, also where the clock was set back, and what it gave last', () => {
    const [first, second] = [{ ...status(), since: 5_000_000, given: SMALL[0].start }, status()]
    const shown = statusTable([first, second], 1000).split('\n').slice(1, 3).map(cells)
    expect(shown.map(row => row.slice(8))).toEqual([
      ['0s', '10.9.0.1'],
      ['<none>', '<none>'],
    ])
    expect(JSON.parse(statusJson([first])).sets[0]).toMatchObject({ oldest: '1970-01-01T01:23:20.000Z' })
  })
})

describe('networks that have addresses in common', () => {
  const one = (network: string, text: string, overlap: 'refuse' | 'allow' = 'refuse') =>
    status({ network, overlap, ranges: [range(text)] })
  const said = (...sets: readonly SetStatus[]) => lines(sets).filter(line => line.includes('in common'))
  const [low, high] = ['10.9.0.0/24 10.9.0.1-10.9.0.99', '10.9.0.0/24 10.9.0.99-10.9.0.200']

  test('are named in pairs, each once, be it one address', () => {
    expect(said(one('a', low), one('b', high), one('c', '10.8.0.0/24 10.8.0.1-10.8.0.9'))).toEqual([
      'a and b have addresses in common (10.9.0.1-10.9.0.99 and 10.9.0.99-10.9.0.200): each is given by one of them',
    ])
    expect(said(one('a', low), one('b', low), one('c', high))).toHaveLength(3)
  })

  test('are none where one is apart, or the ranges are those of one network', () => {
    expect(said(one('a', low), one('b', low, 'allow'))).toEqual([])
    expect(said(one('a', low), { ...one('a', high), set: 1 })).toEqual([])
    expect(said(status({ network: 'a', ranges: SMALL6 }), one('b', low))).toEqual([])
  })
})
