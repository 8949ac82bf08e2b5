import { rmSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Database } from '#ipam/leases/database/database.ts'
import {
  foreignGateways,
  givenLast,
  grantedNetworks,
  grantSets,
  registeredScope,
  registeredSets,
  registerSets,
  setGivenLast,
} from '#ipam/leases/records/range-rows.ts'
import { sortKey } from '#ipam/leases/records/sort-key.ts'
import type { RangeSet } from '#ipam/ranges/range-set.ts'
import { address, range, SMALL, SMALL6 } from '../../../support/leases.ts'
import { memoryFolder } from '../../../support/memory-folder.ts'

// What is known of networks is what their configurations said last, and the address each set gave last outlives them.

let folder: string
let database: Database
beforeEach(() => {
  folder = memoryFolder('range-rows-')
  database = Database.open(join(folder, 'ipam.db'))
})
afterEach(() => {
  database.close()
  rmSync(folder, { recursive: true })
})

const WIDE: RangeSet = [range('10.8.0.0/24 10.8.0.1-10.8.0.99', '10.8.0.254'), range('10.7.0.0/24 10.7.0.1-10.7.0.99')]

const register = (network: string, sets: readonly RangeSet[], more: Partial<Parameters<typeof registerSets>[2]> = {}) =>
  registerSets(database, network, { scope: '', sets, areGranted: false, ...more })
const gave = (network: string, set: number, ip: string, scope = '') =>
  setGivenLast(database, network, { set, key: sortKey(address(ip)), scope })
const setsOf = (network: string) =>
  registeredSets(database)
    .filter(row => row.network === network)
    .map(({ ranges }) => ranges)
const changes = () => Number(database.get('SELECT total_changes() AS count')?.count)

test('what a network has is what its configuration said last, and the same one again writes nothing', () => {
  const sets = fc.array(fc.constantFrom(SMALL, SMALL6, WIDE), { minLength: 1, maxLength: 3 })
  const step = fc.record({ network: fc.constantFrom('mynet', 'other'), sets, scope: fc.constantFrom('', 'mynet') })
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 6 }), steps => {
      database.run('DELETE FROM range')
      for (const { network, ...more } of steps) {
        register(network, more.sets, more)
        const before = changes()
        register(network, more.sets, more)
        expect(changes()).toBe(before)
      }
      for (const network of ['mynet', 'other']) {
        const last = steps.findLast(one => one.network === network)
        expect(setsOf(network)).toEqual(last?.sets ?? [])
        expect(registeredScope(database, network)).toBe(last?.scope)
      }
    }),
    { numRuns: 40 },
  )
})

describe('the address given last', () => {
  test('stays where the ranges change, and goes with its set', () => {
    register('mynet', [SMALL, SMALL6])
    gave('mynet', 0, '10.9.0.4')
    gave('mynet', 1, 'fd00:9::4')
    register('mynet', [WIDE, SMALL6], { scope: 'mynet' })
    expect([givenLast(database, 'mynet', 0), givenLast(database, 'mynet', 1)]).toEqual(['10.9.0.4', 'fd00:9::4'])
    register('mynet', [WIDE])
    register('mynet', [WIDE, SMALL6])
    expect([givenLast(database, 'mynet', 0), givenLast(database, 'mynet', 1)]).toEqual(['10.9.0.4', undefined])
  })

  test('may be known before the ranges are', () => {
    gave('mynet', 1, 'fd00:9::4')
    expect(registeredSets(database)).toEqual([{ network: 'mynet', set: 1, scope: '', ranges: [], given: 'fd00:9::4' }])
    register('mynet', [SMALL, SMALL6])
    expect([setsOf('mynet'), givenLast(database, 'mynet', 1)]).toEqual([[SMALL, SMALL6], 'fd00:9::4'])
    expect(givenLast(database, 'other', 1)).toBeUndefined()
  })

  test('changes neither the ranges of a set nor its scope', () => {
    register('mynet', [SMALL], { scope: 'mynet' })
    gave('mynet', 0, '10.9.0.3')
    gave('mynet', 0, '10.9.0.5')
    expect(registeredSets(database)).toEqual([
      { network: 'mynet', set: 0, scope: 'mynet', ranges: SMALL, given: '10.9.0.5' },
    ])
  })
})

describe('the ranges of the node', () => {
  test('are those of every network that gives them, and of no other', () => {
    register('a', [SMALL], { areGranted: true })
    register('b', [SMALL], { areGranted: true, scope: 'b' })
    register('own', [SMALL])
    gave('a', 0, '10.9.0.3')
    grantSets(database, [WIDE, SMALL6])
    expect([setsOf('a'), setsOf('b'), setsOf('own')]).toEqual([[WIDE, SMALL6], [WIDE, SMALL6], [SMALL]])
    expect([registeredScope(database, 'b'), givenLast(database, 'a', 0)]).toEqual(['b', '10.9.0.3'])
    grantSets(database, [])
    expect([setsOf('a'), setsOf('own')]).toEqual([[[], []], [SMALL]])
    expect(grantedNetworks(database).map(({ network }) => network)).toEqual(['a', 'b'])
    grantSets(database, [SMALL6])
    expect([setsOf('a'), setsOf('b')]).toEqual([[SMALL6], [SMALL6]])
  })

  test('are no longer those of a network that names its own', () => {
    register('a', [SMALL], { areGranted: true })
    register('a', [SMALL])
    grantSets(database, [WIDE])
    expect([setsOf('a'), grantedNetworks(database)]).toEqual([[SMALL], []])
  })
})

test('gateways of others are those of all ranges of all other networks in the same scope', () => {
  register('mynet', [SMALL])
  register('other', [WIDE, SMALL6])
  register('third', [SMALL6])
  register('apart', [[range('10.6.0.0/24 10.6.0.1-10.6.0.9')]], { scope: 'apart' })
  gave('imported', 0, '10.5.0.2')
  const gateways = (network: string, scope: string) => [...foreignGateways(database, network, scope)].toSorted()
  expect(gateways('mynet', '')).toEqual(['10.7.0.1', '10.8.0.254', 'fd00:9::1'])
  expect(gateways('new', '')).toEqual(['10.7.0.1', '10.8.0.254', '10.9.0.1', 'fd00:9::1'])
  expect(gateways('apart', 'apart')).toEqual([])
})
