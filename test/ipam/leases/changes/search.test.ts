import { rmSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FreeSearch } from '#ipam/leases/changes/search.ts'
import { Database } from '#ipam/leases/database/database.ts'
import { keepConflicts } from '#ipam/leases/leaks/conflict-rows.ts'
import { insertLease, leaseRows } from '#ipam/leases/records/lease-rows.ts'
import { registerSets, setGivenLast } from '#ipam/leases/records/range-rows.ts'
import { sortKey } from '#ipam/leases/records/sort-key.ts'
import type { RangeSet } from '#ipam/ranges/range-set.ts'
import { type Address, addressFromNumber, type Family } from '#values/address.ts'
import { address, holder, range } from '../../../support/leases.ts'
import { memoryFolder } from '../../../support/memory-folder.ts'
import { everyAddress, setsOf, writtenSets } from '../../ranges/sets.ts'

// The search reads runs and indexes; what it must find is found here by counting the addresses one by one.

let folder: string
let database: Database
beforeAll(() => {
  folder = memoryFolder('search-')
  database = Database.open(join(folder, 'ipam.db'))
})
afterAll(() => {
  database.close()
  rmSync(folder, { recursive: true })
})

/** Nothing of it stays. */
function onEmptyNode(work: () => void): void {
  database.write(() => {
    for (const table of ['lease', 'run', 'range', 'conflict']) database.run(`DELETE FROM ${table}`)
    work()
  })
}

function hold(ip: Address, network: string, scope = ''): void {
  insertLease(database, {
    ...{ owner: holder(`c-${ip}`, network), scope, key: sortKey(ip) },
    ...{ set: 0, boot: 'b', at: 0, cooldownMs: 0 },
  })
}

function use(ip: Address, network: string): void {
  const at = { netns: '/run/netns/x', namespaceId: '4:1', boot: 'b', at: 0 }
  keepConflicts(database, [{ ...holder('x', network), address: ip, ...at }])
}

const search = (sets: readonly RangeSet[], overlap: 'refuse' | 'allow' = 'refuse') =>
  new FreeSearch({ network: 'mynet', sets, overlap }, database)

test('the next address is the first behind the one given last that is free, in a circle through all ranges of the set', () => {
  const part = fc.double({ min: 0, max: 1, noNaN: true })
  const families = fc.constantFrom<Family>('ipv4', 'ipv6')
  const cluster = families.chain(family => fc.tuple(fc.constant(family), writtenSets(family)))
  const states = fc.array(fc.constantFrom('free', 'held', 'held', 'elsewhere', 'ended', 'used'), { minLength: 64 })
  fc.assert(
    fc.property(cluster, states, fc.option(part), ([family, written], all, last) => {
      const sets = setsOf(...written)
      const every = everyAddress(sets[0]!, sets).map(n => addressFromNumber(family, n))
      const stateOf = (ip: Address) => all[every.indexOf(ip) % all.length]
      const given = last === null ? undefined : every[Math.floor(last * (every.length - 1))]
      onEmptyNode(() => {
        for (const ip of every) {
          if (['held', 'ended'].includes(stateOf(ip)!)) hold(ip, 'mynet')
          if (stateOf(ip) === 'elsewhere') hold(ip, 'other')
        }
        const used = every.find(ip => stateOf(ip) === 'used')
        if (used !== undefined) use(used, 'other')
        if (given !== undefined) setGivenLast(database, 'mynet', { set: 0, key: sortKey(given), scope: '' })
        const from = given === undefined ? 0 : every.indexOf(given) + 1
        const circle = [...every.slice(from), ...every.slice(0, from)]
        const isFree = (ip: Address) => stateOf(ip) === 'free' || (stateOf(ip) === 'used' && ip !== used)
        const ended = leaseRows(database, '').filter(row => stateOf(row.address) === 'ended')
        expect(search(sets).next(0)).toBe(circle.find(isFree))
        expect(search(sets).next(0, ended)).toBe(circle.find(ip => isFree(ip) || stateOf(ip) === 'ended'))
      })
    }),
    { numRuns: 150 },
  )
})

describe('the search', () => {
  const SETS: readonly RangeSet[] = [[range('10.9.0.0/29 10.9.0.1-10.9.0.6')]]

  test('passes over gateways of other networks, and of none that is apart', () => {
    onEmptyNode(() => {
      const other = [[range('10.9.0.0/29 10.9.0.1-10.9.0.6', '10.9.0.2')]] as const
      registerSets(database, 'other', { scope: '', sets: other, areGranted: false })
      expect([search(SETS).next(0), search(SETS, 'allow').next(0)]).toEqual(['10.9.0.3', '10.9.0.2'])
    })
  })

  test('passes over what the network itself holds in another scope', () => {
    onEmptyNode(() => {
      hold(address('10.9.0.2'), 'mynet')
      hold(address('10.9.0.3'), 'other')
      expect([search(SETS).next(0), search(SETS, 'allow').next(0)]).toEqual(['10.9.0.4', '10.9.0.3'])
    })
  })

  test('ends where all that is left is what may not be given', () => {
    onEmptyNode(() => {
      for (const ip of ['10.9.0.2', '10.9.0.4', '10.9.0.5', '10.9.0.6']) hold(address(ip), 'mynet')
      use(address('10.9.0.3'), 'other')
      expect(search(SETS).next(0)).toBeUndefined()
      expect(search(SETS).userOf(address('10.9.0.3'))).toMatchObject({ container: 'x', network: 'other' })
      // An ended lease frees its own address, and not that of another scope.
      const [row] = leaseRows(database, "WHERE key = '40a090004'")
      expect(search(SETS).next(0, [row!])).toBe('10.9.0.4')
      expect(search(SETS).next(0, [{ ...row!, scope: 'apart' }])).toBeUndefined()
    })
  })

  test('finds none in a set of gateways alone', () => {
    onEmptyNode(() => {
      const sets: readonly RangeSet[] = [[range('10.9.0.0/30 10.9.0.1-10.9.0.1')], SETS[0]!.map(one => one) as never]
      expect(search(sets).next(0)).toBeUndefined()
    })
  })
})
