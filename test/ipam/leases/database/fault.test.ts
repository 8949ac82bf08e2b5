import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { damaged, explained, isNoRoom, noRoomLeft, otherVersion } from '#ipam/leases/database/fault.ts'
import { LeaseRefused } from '#ipam/leases/lease-book.ts'
import { LeaseStoreFailed, type StoreFault } from '#ipam/leases/store-failed.ts'

// What went wrong with the file → one word for the program, and a sentence and a next step for the person on call.

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fault-'))
  file = join(folder, 'any.db')
})
afterEach(() => rmSync(folder, { recursive: true }))

const PATH = '/var/lib/switchyard/ipam.db'

function failureOf(work: () => unknown): unknown {
  try {
    explained(PATH, work)
  } catch (error) {
    return error
  }
  return expect.fail('nothing failed')
}

function sqlite(sql: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: 0 })
  database.exec(sql)
  return database
}

const coded = (fields: object) => () => {
  throw Object.assign(new Error('as the system says it'), fields)
}

describe('an error of SQLite itself', () => {
  const LOCKED = 'CREATE TABLE t (x PRIMARY KEY); INSERT INTO t VALUES (1)'

  test.each<[StoreFault, string, () => void]>([
    [
      'busy',
      'in use by another process for too long',
      () => {
        const [holding, waiting] = [sqlite(LOCKED), sqlite('SELECT 1')]
        holding.exec('BEGIN IMMEDIATE')
        waiting.exec('BEGIN IMMEDIATE')
      },
    ],
    ['damaged', 'UNIQUE constraint failed: t.x', () => sqlite(LOCKED).exec('INSERT INTO t VALUES (1)')],
    [
      'damaged',
      'file is not a database',
      () => {
        writeFileSync(file, 'x'.repeat(4096))
        sqlite('SELECT * FROM t')
      },
    ],
    [
      'full',
      'the disk is full',
      () => sqlite(`PRAGMA max_page_count = 2; CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob(9999))`),
    ],
    [
      'read-only',
      'attempt to write a readonly database',
      () => {
        sqlite(LOCKED).close()
        new DatabaseSync(file, { readOnly: true }).exec('DELETE FROM t')
      },
    ],
    ['unusable', 'unable to open database file', () => new DatabaseSync(folder)],
  ])('is a database that is %s: %s', (fault, says, work) => {
    const failure = failureOf(work)
    expect(failure).toBeInstanceOf(LeaseStoreFailed)
    expect(failure).toMatchObject({ fault, message: expect.stringContaining(says) })
    expect((failure as LeaseStoreFailed).message).toContain(PATH)
  })

  test('is known by its lowest byte, whatever more it says, but for memory that found no room', () => {
    const faultOf = (errcode: number) => (failureOf(coded({ errcode })) as LeaseStoreFailed).fault
    // Malformed index, constraint of a primary key, hot journal of a read-only file, busy while it recovers.
    expect([779, 1555, 776, 261].map(faultOf)).toEqual(['damaged', 'damaged', 'read-only', 'busy'])
    // Of I/O errors only the one that could not make the shared memory longer is a full disk.
    expect([10, 778, 4874].map(faultOf)).toEqual(['unusable', 'unusable', 'full'])
  })
})

describe('an error of the file system', () => {
  test.each<[string, StoreFault, string]>([
    ['ENOSPC', 'full', 'df /var/lib/switchyard'],
    ['EDQUOT', 'full', 'what is leased stays leased'],
    ['EROFS', 'read-only', 'findmnt -T /var/lib/switchyard'],
    ['EACCES', 'unusable', 'it belongs to root'],
    ['EIO', 'unusable', 'dmesg'],
  ])('%s is %s, with a next step', (code, fault, step) => {
    expect(failureOf(coded({ code }))).toMatchObject({ fault, details: expect.stringContaining(step) })
  })

  test('has no room where it says so, and in no other case', () => {
    const real = () => readdirSync(join(folder, 'absent'))
    expect(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO'].map(code => isNoRoom({ code }))).toEqual([true, true, false, false])
    expect(failureOf(real)).toMatchObject({ fault: 'unusable', message: expect.stringContaining('ENOENT') })
    expect([isNoRoom(new Error('x')), isNoRoom(noRoomLeft(PATH))]).toEqual([false, false])
  })
})

test('what is no failure of the file goes through as it is', () => {
  const lease = { kind: 'outdated', set: 0 } as const
  for (const error of [new LeaseRefused(lease), new TypeError('a fault of ours'), damaged('/other', 'x'), 'text'])
    expect(
      failureOf(() => {
        throw error
      }),
    ).toBe(error)
})

test('a damaged database is never said to be removed while pods run, and names all of its files', () => {
  const { message, details } = damaged(PATH, 'the file is empty')
  expect(message).toBe(`the lease database ${PATH} is damaged: the file is empty`)
  expect(details).toMatch(/drain this node.*remove .*ipam\.db, .*ipam\.db-wal and .*ipam\.db-shm/)
})

test('of another version, the newer program is wanted, and an older one is brought forward', () => {
  expect(otherVersion(PATH, 7, 6)).toMatchObject({
    fault: 'newer',
    message: `the lease database ${PATH} was written by a newer Switchyard: its version is 7, this one has 6`,
    details: expect.stringContaining('use the newer one again'),
  })
  expect(otherVersion(PATH, 5, 6)).toMatchObject({ fault: 'unusable', message: expect.stringContaining('an older') })
})
