import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { GrantBook } from '#ipam/leases/grants/grant-book.ts'
import { SqliteLeakBook } from '#ipam/leases/leaks/sqlite-leak-book.ts'
import { LeaseRefused } from '#ipam/leases/lease-book.ts'
import { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import type { RangeSet } from '#ipam/ranges/range-set.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { address, holder, leaseRequest, setOf } from '../../../support/leases.ts'
import { memoryFolder } from '../../../support/memory-folder.ts'

// What a node was given, beside its leases.

let folder: string
let path: string
let grants: GrantBook
let book: SqliteLeaseBook

beforeEach(() => {
  folder = memoryFolder('grants-')
  path = join(folder, 'ipam.db')
  grants = GrantBook.open(path)
  book = SqliteLeaseBook.open({ path, clock: new PaperClock(1000), boot: 'b' })
})
afterEach(() => {
  for (const one of [grants, book]) one.close()
  rmSync(folder, { recursive: true })
})

const sets = (subnet: string): readonly RangeSet[] => [setOf(subnet)]
const save = (subnet: string | undefined, record = '{}') =>
  grants.save({ source: 'node', sets: subnet === undefined ? [] : sets(subnet), why: subnet ? '' : 'gone', record })
const take = async (container: string, subnet: string) => {
  const revision = (await book.granted())!.revision
  return book.take({ ...leaseRequest(container, { sets: sets(subnet) }), revision })
}
const subnets = () => book.usages().map(({ ranges }) => ranges[0].subnet)

test('an address is given from what the node has at that moment, and from nothing else', async () => {
  save('10.244.7.0/24')
  const before = await book.granted()
  await take('a', '10.244.7.0/24')
  save('10.244.9.0/24')
  const late = book.take({ ...leaseRequest('b', { sets: before!.sets }), revision: before!.revision })
  await expect(late).rejects.toThrow(LeaseRefused)
  expect(grants.leases().map(({ container, address }) => `${container} ${address}`)).toEqual(['a 10.244.7.2'])
})

test('networks of the node have what it has, also before their next pod, and are known while it has nothing', async () => {
  save('10.244.7.0/24')
  await take('a', '10.244.7.0/24')
  expect(subnets()).toEqual(['10.244.7.0/24'])
  save('10.244.9.0/24')
  expect(subnets()).toEqual(['10.244.9.0/24'])
  save(undefined)
  expect([subnets(), grants.leases().length]).toEqual([[], 1])
  save('10.244.9.0/24')
  expect(subnets()).toEqual(['10.244.9.0/24'])
})

test('a record that changes alone does not make those wait that give addresses', () => {
  save('10.244.7.0/24')
  const { revision } = grants.load()!
  save('10.244.7.0/24', '{"more":1}')
  expect(grants.load()).toMatchObject({ record: '{"more":1}', revision })
  grants.drop()
  expect(grants.load()).toBeUndefined()
})

test('what pods have is not free to be given away', async () => {
  save('10.244.7.0/24')
  for (const name of ['a', 'b', 'c']) await take(name, '10.244.7.0/24')
  const start = 0x0af40700
  expect(grants.takenIn({ start, end: start + 256 })).toEqual([{ start: start + 2, end: start + 5 }])
  expect(grants.takenIn({ start: start + 5, end: start + 256 })).toEqual([])
})

test('what a pod uses without a lease is not free to be given away either, be its network apart from others or not', async () => {
  save('10.244.7.0/24')
  await book.take(leaseRequest('a', { network: 'apart', overlap: 'allow', sets: sets('10.244.7.0/24') }))
  const at = { netns: '/run/netns/x', namespaceId: '4:1', boot: 'b', at: 0 }
  const used = [
    { ...holder('x', 'apart'), ...at, address: address('10.244.7.9') },
    { ...holder('y'), ...at, address: address('10.244.7.7') },
    { ...holder('z'), ...at, address: address('fd00::7') },
  ]
  const leaks = SqliteLeakBook.open(path, new PaperClock(1000))
  await leaks.keepConflicts(used)
  leaks.close()
  const start = 0x0af40700
  const taken = [2, 7, 9].map(n => ({ start: start + n, end: start + n + 1 }))
  expect(grants.takenIn({ start, end: start + 256 })).toEqual(taken)
  expect(grants.takenIn({ start, end: start + 9 })).toEqual(taken.slice(0, 2))
})

test('what has cooled down is free, also where no pod comes', async () => {
  save('10.244.7.0/24')
  const { revision } = grants.load()!
  for (const name of ['a', 'b', 'c'])
    await book.take({ ...leaseRequest(name, { sets: sets('10.244.7.0/24'), cooldownMs: 5000 }), revision })
  for (const name of ['b', 'c']) await book.release(holder(name), 'DEL')
  const [start, end] = [0x0af40700, 0x0af40800]
  grants.endCooldowns(5999)
  expect(grants.takenIn({ start, end })).toEqual([{ start: start + 2, end: start + 5 }])
  grants.endCooldowns(6000)
  expect(grants.takenIn({ start, end })).toEqual([{ start: start + 2, end: start + 3 }])
})
