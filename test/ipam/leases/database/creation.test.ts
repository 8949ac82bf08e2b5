import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createIfAbsent, intoPlace, isAbsent, makeFolder } from '#ipam/leases/database/creation.ts'
import { Database } from '#ipam/leases/database/database.ts'
import { MIGRATIONS } from '#ipam/leases/database/schema.ts'
import { readLeases } from '#ipam/leases/lease-view.ts'

// A database that was not there: whole under its name or not at all, and never in place of one that was lost.

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'creation-'))
  path = join(folder, 'state', 'ipam.db')
})
afterEach(() => rmSync(folder, { recursive: true }))

const mode = (of: string) => (statSync(of).mode & 0o777).toString(8)
const version = () => {
  const sqlite = new DatabaseSync(path, { readOnly: true })
  try {
    return sqlite.prepare('PRAGMA user_version').get()?.user_version
  } finally {
    sqlite.close()
  }
}

describe('a new database', () => {
  test('is for root alone, in a folder for root alone, and leaves nothing else there', () => {
    createIfAbsent(path)
    expect([mode(path), mode(dirname(path))]).toEqual(['600', '700'])
    expect(readdirSync(dirname(path))).toEqual(['ipam.db'])
    expect(version()).toBe(MIGRATIONS.length)
  })

  test('has a journal for root alone, too', () => {
    const database = Database.open(path)
    database.write(() => database.run('DELETE FROM lease'))
    expect(['-wal', '-shm'].map(ending => mode(`${path}${ending}`))).toEqual(['600', '600'])
    database.close()
  })

  test('is durable with every transaction', () => {
    const database = Database.open(path)
    expect(database.get('PRAGMA journal_mode')).toEqual({ journal_mode: 'wal' })
    expect(database.get('PRAGMA synchronous')).toEqual({ synchronous: 2 })
    database.close()
  })

  test('is not made by a look', () => {
    expect(readLeases(path, 0)).toBeUndefined()
    expect(existsSync(dirname(path))).toBe(false)
  })

  test.each<[string, (draft: string) => void]>([
    ['before it had begun', draft => writeFileSync(draft, '')],
    [
      'half way',
      draft => {
        createIfAbsent(draft)
        truncateSync(draft, 5000)
        writeFileSync(`${draft}-wal`, 'rest of a journal')
      },
    ],
    [
      'once it had its name',
      draft => {
        createIfAbsent(draft)
        linkSync(draft, path)
      },
    ],
  ])('is made by the next process where one was killed %s', (_, killed) => {
    mkdirSync(dirname(path))
    // Process numbers come again: in a container each daemon may have the same.
    killed(`${path}.new-${process.pid}`)
    Database.open(path).close()
    expect(version()).toBe(MIGRATIONS.length)
  })
})

describe('nothing is made', () => {
  test('in place of a file that is empty, or beside the journal of one that is gone', () => {
    mkdirSync(dirname(path))
    writeFileSync(path, '')
    expect(() => createIfAbsent(path)).toThrow(/is damaged: the file is empty$/)
    rmSync(path)
    writeFileSync(`${path}-wal`, '')
    expect(() => createIfAbsent(path)).toThrow(/is damaged: it is gone, and its journal .*ipam\.db-wal is there$/)
    expect(readdirSync(dirname(path))).toEqual(['ipam.db-wal'])
  })

  test('beside the journal, full of leases, that is left of a database', () => {
    const database = Database.open(path)
    database.write(() => database.run('DELETE FROM lease'))
    const wal = readFileSync(`${path}-wal`)
    database.close()
    rmSync(path)
    writeFileSync(`${path}-wal`, wal)
    expect(() => Database.open(path)).toThrow(/it is gone, and its journal/)
    expect(existsSync(path)).toBe(false)
  })

  test('where another process has made one, and its journal, between two looks', () => {
    const sizes = new Map<string, (number | undefined)[]>([
      [path, [undefined, 4096]],
      [`${path}-wal`, [32]],
    ])
    expect(isAbsent(path, at => sizes.get(at)!.shift())).toBe(false)
  })

  test('where one is already', () => {
    createIfAbsent(path)
    const before = statSync(path)
    createIfAbsent(path)
    expect(statSync(path)).toMatchObject({ ino: before.ino, mtimeMs: before.mtimeMs })
    expect(isAbsent(path)).toBe(false)
  })
})

describe('a draft', () => {
  const place = (text: string) => intoPlace(path, draft => writeFileSync(draft, text))

  test('of a process that was slower goes, and the file of the other stays', () => {
    mkdirSync(dirname(path))
    expect([place('first'), place('second')]).toEqual(['placed', 'taken'])
    expect(readFileSync(path, 'utf8')).toBe('first')
    expect(readdirSync(dirname(path))).toEqual(['ipam.db'])
  })

  test('that could not be finished goes, with all that SQLite has beside it', () => {
    mkdirSync(dirname(path))
    const unfinished = (draft: string) => {
      for (const ending of ['-wal', '-shm', '-journal']) writeFileSync(`${draft}${ending}`, '')
      throw new Error('the disk is full')
    }
    expect(() => intoPlace(path, unfinished)).toThrow('the disk is full')
    expect(readdirSync(dirname(path))).toEqual([])
  })
})

describe('a folder', () => {
  test('is made with those above it, for root alone', () => {
    makeFolder(join(folder, 'a', 'b'))
    makeFolder(join(folder, 'a', 'b'))
    expect([mode(join(folder, 'a')), mode(join(folder, 'a', 'b'))]).toEqual(['700', '700'])
  })

  test('that is there by the time it is made is no failure', () => {
    // As if another process had made it in between: it is not there, and is there once the one above it is.
    makeFolder(`${folder}/a/.`)
    createIfAbsent(`${folder}/b/../b/ipam.db`)
    expect(readdirSync(folder)).toEqual(['a', 'b'])
  })

  test('that cannot be made is a failure, and no endless attempt', () => {
    symlinkSync(join(folder, 'nowhere'), join(folder, 'link'))
    expect(() => makeFolder(join(folder, 'link', 'a'))).toThrow('ENOENT')
    writeFileSync(join(folder, 'file'), '')
    expect(() => makeFolder(join(folder, 'file', 'a'))).toThrow('ENOTDIR')
  })
})
