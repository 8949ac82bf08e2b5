import { rmSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Database } from '#ipam/leases/database/database.ts'
import { insertLease } from '#ipam/leases/records/lease-rows.ts'
import { Runs, runFaults } from '#ipam/leases/records/runs.ts'
import { keyOfNumber, sortKey } from '#ipam/leases/records/sort-key.ts'
import type { Family } from '#values/address.ts'
import { address, holder } from '../../../support/leases.ts'
import { memoryFolder } from '../../../support/memory-folder.ts'

// Runs are a set of addresses, however they came to be: what is compared with is a Set.

let folder: string
let database: Database
beforeEach(() => {
  folder = memoryFolder('runs-')
  database = Database.open(join(folder, 'ipam.db'))
})
afterEach(() => {
  database.close()
  rmSync(folder, { recursive: true })
})

const BITS = { ipv4: 32n, ipv6: 128n } as const
const rowsIn = (scope: string) =>
  database
    .all('SELECT first, last FROM run WHERE scope = ? ORDER BY first', scope)
    .map(({ first, last }) => [String(first), String(last)])

/** The first and the last addresses of each family: where one ends, no run may go on into the other. */
const ends = (family: Family, offset: number) => (offset < 0 ? (1n << BITS[family]) + BigInt(offset) : BigInt(offset))
const one = fc.record({
  family: fc.constantFrom<Family>('ipv4', 'ipv6'),
  offset: fc.integer({ min: -6, max: 6 }),
  scope: fc.constantFrom('', 'apart'),
})

test('what is taken and given back in any order is a set of addresses, in as few runs as there can be', () => {
  fc.assert(
    fc.property(fc.array(one, { maxLength: 60 }), steps => {
      database.run('DELETE FROM run')
      const taken = new Map<string, Set<string>>([
        ['', new Set()],
        ['apart', new Set()],
      ])
      database.write(() => {
        for (const { family, offset, scope } of steps) {
          const key = keyOfNumber(family, ends(family, offset))
          const set = taken.get(scope)!
          if (set.has(key)) new Runs(database, scope).remove(key)
          else new Runs(database, scope).add(key)
          if (!set.delete(key)) set.add(key)
        }
      })
      for (const [scope, set] of taken) expect(rowsIn(scope)).toEqual(runsOf(set))
      for (const family of ['ipv4', 'ipv6'] as const) {
        const runs = new Runs(database, '')
        const own = [...taken.get('')!].filter(key => key.startsWith(family === 'ipv4' ? '4' : '6'))
        const whole = { family, first: 0n, last: (1n << BITS[family]) - 1n }
        expect(runs.count(whole)).toBe(own.length)
        const part = { family, first: 2n, last: 4n }
        expect(runs.count(part)).toBe([2n, 3n, 4n].filter(n => own.includes(keyOfNumber(family, n))).length)
        for (let n = 0n; n <= 7n; n++) {
          let end = n
          while (own.includes(keyOfNumber(family, end))) end++
          expect(runs.view(family).runEnd(n)).toBe(end === n ? undefined : end - 1n)
        }
      }
    }),
  )
})

function runsOf(keys: ReadonlySet<string>): readonly (readonly [string, string])[] {
  const next = (key: string) =>
    `${key[0]}${(BigInt(`0x${key.slice(1)}`) + 1n).toString(16).padStart(key.length - 1, '0')}`
  const runs: [string, string][] = []
  for (const key of [...keys].sort()) {
    const last = runs.at(-1)
    if (last !== undefined && next(last[1]) === key) last[1] = key
    else runs.push([key, key])
  }
  return runs
}

describe('an address', () => {
  const key = sortKey(address('10.9.0.4'))

  test.each(['10.9.0.4', '10.9.0.3 10.9.0.4', '10.9.0.4 10.9.0.5', '10.9.0.3 10.9.0.4 10.9.0.5'])(
    'that is taken is never taken again, be the run %s',
    taken => {
      const runs = new Runs(database, '')
      for (const ip of taken.split(' ')) runs.add(sortKey(address(ip)))
      const before = rowsIn('')
      expect(() => runs.add(key)).toThrow(/runs of taken addresses do not agree with its leases at 40a090004$/)
      expect(rowsIn('')).toEqual(before)
      expect(() => new Runs(database, 'apart').add(key)).not.toThrow()
    },
  )

  test.each(['', '10.9.0.3', '10.9.0.5', '10.9.0.2 10.9.0.3 10.9.0.5 10.9.0.6'])(
    'that is free is not given back, be the runs %j',
    taken => {
      const runs = new Runs(database, '')
      for (const ip of taken.split(' ').filter(Boolean)) runs.add(sortKey(address(ip)))
      expect(() => runs.remove(key)).toThrow(/do not agree with its leases/)
    },
  )
})

test('a count reaches over the whole of a large range without a look at each address', () => {
  const runs = new Runs(database, '')
  database.run(
    "INSERT INTO run VALUES ('', ?, ?)",
    keyOfNumber('ipv6', 1n << 64n),
    keyOfNumber('ipv6', (1n << 64n) + 99n),
  )
  expect(runs.count({ family: 'ipv6', first: (1n << 64n) + 10n, last: (1n << 80n) - 1n })).toBe(90)
  expect(runs.count({ family: 'ipv6', first: (1n << 64n) + 10n, last: (1n << 64n) + 11n })).toBe(2)
  expect(runs.count({ family: 'ipv6', first: (1n << 64n) + 100n, last: 1n << 80n })).toBe(0)
})

describe('what was written by half is found', () => {
  const lease = (scope: string, ip: string) =>
    insertLease(database, {
      ...{ owner: holder(`c-${scope}-${ip}`, scope || 'mynet'), scope, key: sortKey(address(ip)) },
      ...{ set: 0, boot: 'b', at: 0, cooldownMs: 0 },
    })

  test('in each scope by itself: one too many does not make up for one too few', () => {
    for (const ip of ['10.9.0.2', '10.9.0.3', 'fd00::1']) lease('', ip)
    lease('apart', '10.9.0.2')
    expect(runFaults(database)).toEqual([])
    new Runs(database, '').remove(sortKey(address('fd00::1')))
    new Runs(database, 'apart').add(sortKey(address('fd00::1')))
    expect(runFaults(database).toSorted()).toEqual([
      '1 leases of apart, and runs of 2 addresses',
      '3 leases of the node, and runs of 2 addresses',
    ])
  })

  test('where nothing is leased at all', () => {
    new Runs(database, '').add(sortKey(address('10.9.0.2')))
    expect(runFaults(database)).toEqual(['0 leases of the node, and runs of 1 addresses'])
  })
})
