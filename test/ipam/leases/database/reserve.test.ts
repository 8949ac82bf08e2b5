import { mkdirSync, mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Database } from '#ipam/leases/database/database.ts'
import { noRoomLeft } from '#ipam/leases/database/fault.ts'
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

test('what was given up and not used is made again when the process ends', () => {
  const database = Database.open(path)
  database.freeing(() => truncateSync(`${path}-reserve`, RESERVE_BYTES / 2))
  database.close()
  expect(left()).toBe(RESERVE_BYTES)
})

test('a write that ends leases needs no reserve, also within another, and any other needs all of it', () => {
  const reserve = new Reserve(path)
  reserve.require()
  const sizes: number[] = []
  const inner = () => reserve.spend(() => sizes.push(left()), vi.fn())
  reserve.spend(() => {
    truncateSync(`${path}-reserve`, RESERVE_BYTES / 4)
    inner()
    reserve.require()
    sizes.push(left())
  }, vi.fn())
  expect(sizes).toEqual([RESERVE_BYTES / 4, RESERVE_BYTES / 4])
  reserve.require()
  expect(left()).toBe(RESERVE_BYTES)
})

test('where nothing can be written at all, the database says why, and not the reserve', () => {
  const reserve = new Reserve(join(folder, 'absent', 'ipam.db'))
  expect(() => reserve.require()).not.toThrow()
  expect(reserve.opened(() => 'opened')).toBe('opened')
  expect(() => reserve.refill()).not.toThrow()
})

test('a reserve that cannot be given up is no endless attempt', () => {
  mkdirSync(`${path}-reserve`)
  const work = vi.fn(() => {
    throw noRoomLeft(path)
  })
  expect(() => new Reserve(path).spend(work, () => {})).toThrow('the disk is full')
  expect(work).toHaveBeenCalledTimes(2)
})
