import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readHolders } from '#ipam/leases/lease-view.ts'
import { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import type { Address } from '#values/address.ts'
import { address, holder, leaseRequest } from '../../../support/leases.ts'

// Between an export and the next import another program gives the addresses: what its directory says then is how it is.

const [TWO, THREE, FOUR] = [address('10.9.0.2'), address('10.9.0.3'), address('10.9.0.4')]

let folder: string
let clock: PaperClock
let book: SqliteLeaseBook

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'handover-'))
  clock = new PaperClock(1000)
  book = SqliteLeaseBook.open({ path: join(folder, 'ipam.db'), clock, boot: 'b' })
  for (const container of ['a', 'b']) await book.take(leaseRequest(container, { cooldownMs: 30_000 }))
  await clock.advance(1000)
})
afterEach(() => {
  book.verify()
  book.close()
  rmSync(folder, { recursive: true })
})

function imported(files: readonly (readonly [Address, string])[]) {
  const content = {
    files: files.map(([one, container]) => ({ address: one, container, ifname: 'eth0' })),
    given: new Map(),
  }
  return book.adopt({ network: 'mynet', content, cooldownMs: 0 })
}

const held = async (container: string) => (await book.held(holder(container))).map(lease => lease.address)

test('what it has ended is ended, and what it gave again is held by the new container', async () => {
  await book.handOver(['mynet'], clock.now())
  await clock.advance(1000)
  const { leases, ended, known, conflicts } = await imported([
    [TWO, 'c'],
    [FOUR, 'd'],
  ])
  expect([leases.length, ended.length, known, conflicts]).toEqual([2, 2, 0, []])
  expect([await held('a'), await held('b'), await held('c'), await held('d')]).toEqual([[], [], [TWO], [FOUR]])
  expect(readHolders(join(folder, 'ipam.db'), THREE)).toMatchObject([
    { container: 'b', why: "host-local's directory no longer has it" },
  ])
})

test('a pod that has changed its address has the new one alone', async () => {
  await book.handOver(['mynet'], clock.now())
  await imported([
    [THREE, 'a'],
    [TWO, 'b'],
  ])
  expect([await held('a'), await held('b')]).toEqual([[THREE], [TWO]])
})

test('what was given here since the export stays, and so does all of another network', async () => {
  await book.handOver(['mynet'], clock.now())
  await book.take(leaseRequest('late'))
  await book.take(leaseRequest('a', { network: 'other' }))
  expect(await imported([[TWO, 'a']])).toMatchObject({ ended: [{ container: 'b' }], known: 1 })
  expect([await held('a'), await held('b'), await held('late')]).toEqual([[TWO], [], [FOUR]])
  expect(await book.held(holder('a', 'other'))).toHaveLength(1)
})

test('a second import, or one without an export, ends nothing', async () => {
  expect(await imported([])).toMatchObject({ ended: [] })
  await book.handOver(['mynet'], clock.now())
  expect(await imported([[TWO, 'a']])).toMatchObject({ ended: [{ container: 'b' }] })
  expect(await imported([])).toMatchObject({ ended: [] })
  expect(await held('a')).toEqual([TWO])
})

test('an address that cools down here, and is in use there, is held', async () => {
  await book.release(holder('a'), 'DEL')
  await book.handOver(['mynet'], clock.now())
  expect(
    await imported([
      [TWO, 'c'],
      [THREE, 'b'],
    ]),
  ).toMatchObject({ leases: [{ container: 'c' }], conflicts: [] })
  await clock.advance(60_000)
  expect((await book.take(leaseRequest('next'))).map(lease => lease.address)).toEqual([FOUR])
})
