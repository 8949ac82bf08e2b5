import { mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Database } from '#ipam/leases/database/database.ts'
import { noRoomLeft } from '#ipam/leases/database/fault.ts'
import { GroupCommit } from '#ipam/leases/database/group-commit.ts'
import { RESERVE_BYTES, Reserve } from '#ipam/leases/database/reserve.ts'

// Room that only the end of leases may use. The disk that is really full is test/kernel/pods/leases-disk.test.ts.

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'reserve-'))
  path = join(folder, 'ipam.db')
})
afterEach(() => rmSync(folder, { recursive: true }))

const left = () => statSync(`${path}-reserve`).size

test('a database that is opened has its reserve, with blocks of its own', () => {
  Database.open(path).close()
  expect(left()).toBe(RESERVE_BYTES)
  expect(statSync(`${path}-reserve`).blocks * 512).toBeGreaterThanOrEqual(RESERVE_BYTES)
})

test('it is given up bit by bit, once the journal has no room of its own', () => {
  const reserve = new Reserve(path)
  reserve.require()
  const seen: number[] = []
  const tidy = vi.fn()
  const work = () => {
    seen.push(left())
    if (seen.length < 4) throw noRoomLeft(path)
    return 'released'
  }
  expect(reserve.spend(work, tidy)).toBe('released')
  expect(seen).toEqual([1, 1, 0.75, 0.5].map(part => part * RESERVE_BYTES))
  expect(tidy).toHaveBeenCalledTimes(3)
})

test('once nothing is left of it, the release fails', () => {
  const reserve = new Reserve(path)
  reserve.require()
  const work = vi.fn(() => {
    throw noRoomLeft(path)
  })
  expect(() => reserve.spend(work, () => {})).toThrow('the disk is full')
  expect(work).toHaveBeenCalledTimes(6)
  expect(left()).toBe(0)
})

test('any other error gives up nothing', () => {
  const reserve = new Reserve(path)
  reserve.require()
  expect(() => reserve.spend(() => expect.fail('other'), vi.fn())).toThrow('other')
  expect(left()).toBe(RESERVE_BYTES)
})

test('what is missing is made again by the next write, where there is room', () => {
  const database = Database.open(path)
  truncateSync(`${path}-reserve`)
  database.write(() => undefined)
  expect(left()).toBe(RESERVE_BYTES)
  database.close()
})

test('what ends leases goes on alone where the disk is full, and what takes some fails', async () => {
  const database = Database.open(path)
  vi.spyOn(database, 'writeNow').mockImplementation(() => {
    throw noRoomLeft(path)
  })
  const changes = new GroupCommit(database)
  const outcomes = await Promise.allSettled([
    changes.change(() => 'taken'),
    changes.change(() => 'released', 'freeing'),
    changes.change(() => 'taken'),
  ])
  const full = { status: 'rejected', reason: expect.objectContaining({ fault: 'full' }) }
  expect(outcomes).toEqual([full, { status: 'fulfilled', value: 'released' }, full])
  expect(await changes.change(() => 'released', 'freeing')).toBe('released')
  database.close()
})
