import { renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LeaseChanges } from '#ipam/leases/lease-changes.ts'
import { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { holder, leaseRequest } from '../../support/leases.ts'
import { memoryFolder } from '../../support/memory-folder.ts'

let folder: string
let path: string
let changes: LeaseChanges
beforeEach(() => {
  folder = memoryFolder('lease-changes-')
  path = join(folder, 'ipam.db')
  changes = new LeaseChanges(path)
})
afterEach(() => {
  changes.close()
  rmSync(folder, { recursive: true })
})

const open = () => SqliteLeaseBook.open({ path, clock: new PaperClock(1000), boot: 'b' })
/** Twice: what has changed has changed once. */
const asked = () => [changes.hasChanged(), changes.hasChanged()]

test('a change of any process is seen once, and a look is none', async () => {
  const [one, other] = [open(), open()]
  expect(asked()).toEqual([true, false])
  await one.take(leaseRequest('a'))
  expect(asked()).toEqual([true, false])
  await one.held(holder('a'))
  one.usages()
  expect(asked()).toEqual([false, false])
  await other.release(holder('a'), 'DEL')
  expect(asked()).toEqual([true, false])
  await expect(other.take(leaseRequest('b', { requested: ['10.9.0.2', '10.9.0.9'] as never }))).resolves.toHaveLength(1)
  expect(asked()).toEqual([true, false])
  for (const book of [one, other]) book.close()
})

test('where there is no database nothing changes, until it is there', async () => {
  expect(asked()).toEqual([true, false])
  const book = open()
  expect(asked()).toEqual([true, false])
  book.close()
})

test('what is written after all processes had ended, or into another file, is seen', async () => {
  let book = open()
  await book.take(leaseRequest('a'))
  expect(asked()).toEqual([true, false])
  book.close()
  changes.hasChanged()
  book = open()
  await book.take(leaseRequest('b'))
  expect(changes.hasChanged()).toBe(true)
  book.close()
  renameSync(folder, `${folder}-aside`)
  book = open()
  await book.take(leaseRequest('c'))
  expect(asked()).toEqual([true, false])
  book.close()
  rmSync(`${folder}-aside`, { recursive: true })
})
