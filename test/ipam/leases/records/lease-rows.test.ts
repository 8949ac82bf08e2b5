import { rmSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Database } from '#ipam/leases/database/database.ts'
import type { LeaseOwner } from '#ipam/leases/lease-book.ts'
import { historyOf } from '#ipam/leases/records/history-rows.ts'
import {
  deleteLease,
  endLease,
  heldBy,
  insertLease,
  leaseCounts,
  leaseRows,
  leasesOfAddress,
  oldestLease,
  plainLease,
} from '#ipam/leases/records/lease-rows.ts'
import { runFaults } from '#ipam/leases/records/runs.ts'
import { sortKey } from '#ipam/leases/records/sort-key.ts'
import { addressFromNumber } from '#values/address.ts'
import { address, holder } from '../../../support/leases.ts'
import { memoryFolder } from '../../../support/memory-folder.ts'

// A row is the lease that was written, and ends in one of two ways.

let folder: string
let database: Database
beforeEach(() => {
  folder = memoryFolder('lease-rows-')
  database = Database.open(join(folder, 'ipam.db'))
})
afterEach(() => {
  expect(runFaults(database)).toEqual([])
  database.close()
  rmSync(folder, { recursive: true })
})

interface Words {
  readonly owner?: Partial<LeaseOwner>
  readonly scope?: string
  readonly set?: number
  readonly at?: number
  readonly cooldownMs?: number
}

function lease(ip: string, container: string, { owner = {}, ...more }: Words = {}) {
  return insertLease(database, {
    ...{ owner: { ...holder(container), ...owner }, scope: '', key: sortKey(address(ip)) },
    ...{ set: 0, boot: 'b', at: 1000, cooldownMs: 0, ...more },
  })
}

const all = () => leaseRows(database, 'ORDER BY scope, key')
const end = { at: 2000, why: 'DEL' }

test('what is written is what is read, whatever a runtime calls its containers', () => {
  // Also quotes, line ends and no text at all, as long as SQLite can hold it: text there ends at a zero.
  const text = fc.string({ unit: 'grapheme' }).map(one => one.replaceAll('\0', ''))
  const maybe = fc.option(text, { nil: undefined })
  const owner = fc.record({ container: text, ifname: text, pod: maybe, uid: maybe, netns: maybe, namespaceId: maybe })
  const number = fc.integer({ min: -1, max: 2 ** 45 })
  const written = fc.record({
    ...{ owner, at: number, cooldownMs: fc.nat(), boot: text, set: fc.nat(9) },
    ip: fc.oneof(
      fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }).map(n => addressFromNumber('ipv4', n)),
      fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map(n => addressFromNumber('ipv6', n)),
    ),
  })
  fc.assert(
    fc.property(written, ({ owner, ip, ...more }) => {
      const known = Object.fromEntries(Object.entries(owner).filter(([, value]) => value !== undefined))
      const inserted = insertLease(database, {
        ...{ ...more, owner: { ...(known as typeof owner), network: 'mynet' } as LeaseOwner },
        ...{ scope: '', key: sortKey(ip) },
      })
      const [read] = all()
      expect(read).toEqual(inserted)
      expect(plainLease(read!)).toEqual({
        ...{ ...known, network: 'mynet', address: ip, family: ip.includes(':') ? 'ipv6' : 'ipv4' },
        ...{ set: more.set, boot: more.boot, state: 'assigned', at: more.at },
      })
      deleteLease(database, read!)
      expect(all()).toEqual([])
    }),
    { numRuns: 60 },
  )
})

describe('no second row', () => {
  test.each<[string, string, string, Words]>([
    ['for an address of the scope', '10.9.0.2', 'b', { owner: { network: 'other' } }],
    ['for an address of the network, be it in another scope', '10.9.0.2', 'b', { scope: 'mynet' }],
    ['of one set for one interface', '10.9.0.3', 'a', {}],
  ])('%s can be written', (_, ip, container, words) => {
    lease('10.9.0.2', 'a')
    expect(() => database.write(() => lease(ip, container, words))).toThrow(/UNIQUE constraint failed/)
    expect(all()).toHaveLength(1)
  })

  test('but for another set, and where networks are apart', () => {
    lease('10.9.0.2', 'a')
    lease('fd00:9::2', 'a', { set: 1 })
    lease('10.9.0.2', 'a', { owner: { network: 'apart' }, scope: 'apart' })
    expect(leasesOfAddress(database, address('10.9.0.2')).map(({ scope }) => scope)).toEqual(['', 'apart'])
  })
})

describe('a lease that ends', () => {
  test('cools down, is remembered once, and then goes for good', () => {
    endLease(database, lease('10.9.0.2', 'a', { cooldownMs: 500 }), end)
    expect(all()).toMatchObject([{ state: 'cooldown', at: 2000, until: 2500, container: 'a' }])
    expect(historyOf(database, sortKey(address('10.9.0.2')))).toMatchObject([{ at: 1000, ended: 2000, why: 'DEL' }])
    expect(heldBy(database, holder('a'))).toEqual([])
    endLease(database, all()[0]!, { at: 2100, why: 'asked for' })
    expect(all()).toEqual([])
    expect(historyOf(database, sortKey(address('10.9.0.2')))).toHaveLength(1)
  })

  test('without a cooldown, or where the end says so, leaves its address free at once', () => {
    endLease(database, lease('10.9.0.2', 'a'), end)
    endLease(database, lease('10.9.0.3', 'b', { cooldownMs: 500 }), { ...end, cooldownMs: 0 })
    expect(all()).toEqual([])
  })

  test('leaves its holder free to have another while it cools down', () => {
    endLease(database, lease('10.9.0.2', 'a', { cooldownMs: 500 }), end)
    lease('10.9.0.3', 'a')
    expect(heldBy(database, holder('a')).map(({ address }) => address)).toEqual(['10.9.0.3'])
  })
})

test('a container whose file named no interface holds its addresses with each one, until one has its own', () => {
  lease('fd00:9::2', 'a', { owner: { ifname: '' }, set: 1 })
  lease('10.9.0.2', 'a', { owner: { ifname: '' } })
  const held = (ifname: string) => heldBy(database, { ...holder('a'), ifname }).map(({ address }) => address)
  expect(held('eth0')).toEqual(['10.9.0.2', 'fd00:9::2'])
  lease('10.9.0.3', 'a')
  expect([held('eth0'), held('eth1'), held('')]).toEqual([
    ['10.9.0.3'],
    ['10.9.0.2', 'fd00:9::2'],
    ['10.9.0.2', 'fd00:9::2'],
  ])
})

test('leases are counted by network and state, and what has none is left out', () => {
  expect(leaseCounts(database)).toEqual([])
  const [, b] = ['10.9.0.2', '10.9.0.3', '10.9.0.4'].map((ip, i) => lease(ip, `c${i}`, { cooldownMs: 1000 }))
  endLease(database, b!, end)
  lease('10.9.0.5', 'd', { owner: { network: 'other' } })
  endLease(database, lease('10.8.0.5', 'e', { owner: { network: 'third' }, cooldownMs: 1 }), end)
  expect(leaseCounts(database)).toEqual([
    { network: 'mynet', state: 'assigned', count: 2 },
    { network: 'mynet', state: 'cooldown', count: 1 },
    { network: 'other', state: 'assigned', count: 1 },
    { network: 'third', state: 'cooldown', count: 1 },
  ])
})

test('the oldest lease is that of the set which is held', () => {
  endLease(database, lease('10.9.0.2', 'a', { at: 10, cooldownMs: 1000 }), end)
  lease('10.9.0.3', 'b', { at: 30 })
  lease('10.9.0.4', 'c', { at: 20 })
  lease('fd00:9::4', 'c', { at: 5, set: 1 })
  const oldest = (network: string, set: number) => oldestLease(database, { network, set })
  expect([oldest('mynet', 0), oldest('mynet', 1), oldest('mynet', 2), oldest('other', 0)]).toEqual([
    ...[20, 5, undefined, undefined],
  ])
})
