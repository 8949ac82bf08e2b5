import { existsSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Database } from '#ipam/leases/database/database.ts'
import { MIGRATIONS } from '#ipam/leases/database/schema.ts'
import { readLeases } from '#ipam/leases/lease-view.ts'
import { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { LeaseStoreFailed } from '#ipam/leases/store-failed.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { holder, leaseRequest, range } from '../../../support/leases.ts'
import { memoryFolder } from '../../../support/memory-folder.ts'

// What may become of the file of leases: each time one clear error, or nothing lost, and never an address given blindly.

let folder: string
let path: string
const books: SqliteLeaseBook[] = []

beforeEach(() => {
  folder = memoryFolder('leases-')
  path = join(folder, 'state', 'ipam.db')
})
afterEach(() => {
  for (const book of books.splice(0)) book.close()
  rmSync(folder, { recursive: true, force: true })
})

function open(): SqliteLeaseBook {
  const book = SqliteLeaseBook.open({ path, clock: new PaperClock(1000), boot: 'b' })
  books.push(book)
  return book
}

const take = async (book: SqliteLeaseBook, container: string) =>
  (await book.take(leaseRequest(container))).map(({ address }) => address)

/** The database as it is once the last process has closed it. */
async function closedWithLeases(count = 2): Promise<void> {
  const sets = [[range('10.0.0.0/16 10.0.0.1-10.0.255.254')]] as const
  const book = open()
  await Promise.all(Array.from({ length: count }, (_, i) => book.take(leaseRequest(`c${i}`, { sets }))))
  books.pop()?.close()
}

function failureOf(work: () => unknown): LeaseStoreFailed {
  try {
    work()
  } catch (error) {
    if (error instanceof LeaseStoreFailed) return error
    throw error
  }
  return expect.fail('nothing failed')
}

describe('an older version', () => {
  test('is brought forward, by one process of several, and keeps what it holds', async () => {
    await closedWithLeases(2)
    const next = [...MIGRATIONS, 'ALTER TABLE lease ADD COLUMN colour TEXT;', 'CREATE TABLE extra (id INTEGER);']
    const databases = [Database.open(path, { migrations: next }), Database.open(path, { migrations: next })]
    expect(databases[1]!.get('PRAGMA user_version')).toEqual({ user_version: next.length })
    expect(databases[1]!.all('SELECT colour FROM lease')).toHaveLength(2)
    for (const database of databases) database.close()
    const failure = failureOf(open)
    expect(failure.fault).toBe('newer')
    expect(failure.message).toBe(
      `the lease database ${path} was written by a newer Switchyard: its version is ${next.length}, this one has ${MIGRATIONS.length}`,
    )
  })

  test('stays as it was where a step fails', async () => {
    await closedWithLeases(2)
    const next = [...MIGRATIONS, 'CREATE TABLE extra (id INTEGER); nonsense;']
    expect(() => Database.open(path, { migrations: next })).toThrow(/syntax error/)
    expect(readLeases(path, 0)?.[0]?.leases).toHaveLength(2)
  })
})

describe('a damaged file', () => {
  test.each<[string, RegExp, () => void]>([
    ['is empty', /is damaged: the file is empty$/, () => truncateSync(path, 0)],
    ['is no database', /is damaged: file is not a database$/, () => writeFileSync(path, 'x'.repeat(8192))],
    ['was cut off', /is damaged: database disk image is malformed$/, () => truncateSync(path, 8192)],
    ['has pages of zeros', /is damaged: database disk image is malformed$/, () => overwrite(4096, 0)],
    ['has pages of noise', /is damaged: database disk image is malformed$/, () => overwrite(4096, 0xaa)],
  ])('that %s gives no address, and the error says what to do', async (_, message, damage) => {
    await closedWithLeases(300)
    damage()
    const failures = [
      failureOf(() => open().verify()),
      await (async () => take(open(), 'new'))().catch((error: unknown) => error as LeaseStoreFailed),
    ]
    for (const failure of failures) {
      expect(failure).toBeInstanceOf(LeaseStoreFailed)
      const { fault, message: text, details } = failure as LeaseStoreFailed
      expect([fault, text]).toEqual(['damaged', expect.stringMatching(message)])
      expect(details).toContain(`remove ${path}, ${path}-wal and ${path}-shm`)
    }
  })

  test('is found where runs and leases do not agree', async () => {
    await closedWithLeases(3)
    const sqlite = new DatabaseSync(path)
    sqlite.exec('DELETE FROM run')
    sqlite.close()
    expect(failureOf(() => open().verify()).message).toMatch(/3 leases of the node, and runs of 0 addresses$/)
    await expect(open().release(holder('c0'), 'DEL')).rejects.toThrow(/runs of taken addresses do not agree/)
  })

  test('once found gives no address and takes none back, also where that part is whole', async () => {
    await closedWithLeases(3)
    const sqlite = new DatabaseSync(path)
    sqlite.exec("INSERT INTO run VALUES ('other', '4ffffff00', '4ffffff01')")
    sqlite.close()
    const book = open()
    expect(failureOf(() => book.verify()).message).toMatch(/0 leases of other, and runs of 2 addresses$/)
    await expect(take(book, 'new')).rejects.toThrow(/is damaged/)
    await expect(book.release(holder('c0'), 'DEL')).rejects.toThrow(/is damaged/)
  })

  test('of another program is left alone', () => {
    writeFileSync(join(folder, 'other.db'), '')
    path = join(folder, 'other.db')
    const sqlite = new DatabaseSync(path)
    sqlite.exec('CREATE TABLE t (x)')
    sqlite.close()
    expect(failureOf(open).message).toMatch(/the file is a database of another program$/)
  })
})

function overwrite(from: number, byte: number): void {
  const bytes = readFileSync(path)
  bytes.fill(byte, from)
  writeFileSync(path, bytes)
}

describe('a file that goes away while it is in use', () => {
  test('is put back with all it held, and the next process goes on with it', async () => {
    const book = open()
    expect(await take(book, 'a')).toEqual(['10.9.0.2'])
    rmSync(dirname(path), { recursive: true })
    expect(await take(book, 'b')).toEqual(['10.9.0.3'])
    expect((statSync(path).mode & 0o777).toString(8)).toBe('600')
    expect(await take(open(), 'c')).toEqual(['10.9.0.4'])
    expect(await book.held(holder('c'))).toHaveLength(1)
  })

  test.each([
    ['file', ['']],
    ['journal', ['-wal']],
    ['shared memory', ['-shm']],
    ['journal, with the shared memory', ['-wal', '-shm']],
    ['file and journal', ['', '-wal']],
  ])('is put back also where only the %s went', async (_, endings) => {
    const book = open()
    for (const name of ['a', 'b']) await take(book, name)
    for (const ending of endings) rmSync(`${path}${ending}`)
    expect(await take(book, 'c')).toEqual(['10.9.0.4'])
    const next = open()
    expect(await take(next, 'd')).toEqual(['10.9.0.5'])
    expect(await take(book, 'e')).toEqual(['10.9.0.6'])
    expect(await Promise.all(['a', 'b', 'c', 'd', 'e'].map(name => next.held(holder(name))))).toMatchObject(
      ['10.9.0.2', '10.9.0.3', '10.9.0.4', '10.9.0.5', '10.9.0.6'].map(address => [{ address }]),
    )
    next.verify()
  })

  test('is put back for all of a process that share it', async () => {
    const database = Database.open(path)
    const one = () => SqliteLeaseBook.on(database.share(), { clock: new PaperClock(1000), boot: 'b' })
    const books = [one(), one(), one()] as const
    await take(books[0], 'a')
    rmSync(dirname(path), { recursive: true })
    expect(await take(books[1], 'b')).toEqual(['10.9.0.3'])
    rmSync(`${path}-wal`)
    expect(await take(books[0], 'c')).toEqual(['10.9.0.4'])
    expect(await take(books[2], 'd')).toEqual(['10.9.0.5'])
    expect(await books[1].held(holder('d'))).toHaveLength(1)
    books[1].verify()
    for (const each of [...books, database]) each.close()
    expect(existsSync(`${path}-wal`)).toBe(false)
  })

  test('and is replaced by another one stops all work, with a clear error', async () => {
    const book = open()
    await take(book, 'a')
    renameSync(dirname(path), join(folder, 'aside'))
    await take(open(), 'x')
    const failure = await book.take(leaseRequest('b')).catch((error: unknown) => error)
    expect(failure).toMatchObject({
      fault: 'gone',
      message: `the lease database ${path} was replaced by another file while it is in use`,
    })
    renameSync(dirname(path), join(folder, 'wrong'))
    renameSync(join(folder, 'aside'), dirname(path))
    expect(await take(book, 'b')).toEqual(['10.9.0.3'])
  })
})

describe('a connection that could not be opened anew', () => {
  /** The journal is gone, so the connection is made anew; and then the file is no database for a moment. */
  const brokenFor = async (book: SqliteLeaseBook, work: () => Promise<void>): Promise<void> => {
    await take(book, 'a')
    const copy = new DatabaseSync(path)
    copy.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    copy.close()
    const header = readFileSync(path)
    writeFileSync(path, Buffer.concat([Buffer.alloc(100, 'x'), header.subarray(100)]))
    rmSync(`${path}-wal`)
    await work()
    writeFileSync(path, header)
  }

  test('is tried again by what comes next, be it a look or a change', async () => {
    for (const next of ['held', 'take'] as const) {
      const book = open()
      await brokenFor(book, async () => {
        await expect(book.release(holder('a'), 'DEL')).rejects.toMatchObject({ fault: 'gone' })
        await expect(book.held(holder('a'))).rejects.toThrow(/is damaged: file is not a database$/)
      })
      if (next === 'held') expect(await book.held(holder('a'))).toMatchObject([{ address: '10.9.0.2' }])
      else expect(await take(book, 'b')).toEqual(['10.9.0.3'])
      books.pop()?.close()
      rmSync(dirname(path), { recursive: true })
    }
  })

  test('never makes a new file, which would have no lease in it', async () => {
    const book = open()
    await brokenFor(book, async () => {
      await expect(take(book, 'b')).rejects.toMatchObject({ fault: 'gone' })
      renameSync(path, `${path}.aside`)
      await expect(take(book, 'b')).rejects.toMatchObject({ fault: 'unusable' })
      expect(existsSync(path)).toBe(false)
      renameSync(`${path}.aside`, path)
    })
    expect(await take(book, 'b')).toEqual(['10.9.0.3'])
  })
})

describe('work in a transaction', () => {
  const add = (database: Database, name: string) => database.run('INSERT INTO handover VALUES (?, 1)', name)
  const names = (database: Database) => database.all('SELECT network FROM handover').map(({ network }) => network)
  const WAYS = ['write', 'writeNow', 'writeUnsynced'] as const

  test.each(WAYS)('by %s is done as a whole or not at all, and the next one begins anew', way => {
    const database = Database.open(path)
    const failing = () => {
      add(database, 'a')
      throw new Error('half way')
    }
    expect(() => database[way](failing)).toThrow('half way')
    expect(names(database)).toEqual([])
    database[way](() => add(database, 'b'))
    expect(names(database)).toEqual(['b'])
    expect(database.get('PRAGMA synchronous')).toEqual({ synchronous: 2 })
    database.close()
  })

  test('has parts that fail alone, also one within another', () => {
    const database = Database.open(path)
    const failing = (name: string, before = () => {}) => {
      const part = () => {
        before()
        add(database, name)
        throw new Error(name)
      }
      expect(() => database.attempt(part)).toThrow(name)
    }
    database.write(() => {
      add(database, 'a')
      failing('b', () => database.attempt(() => add(database, 'c')))
      database.attempt(() => {
        add(database, 'd')
        failing('e')
      })
      // The key is there already: SQLite itself refuses it.
      expect(() => database.attempt(() => add(database, 'a'))).toThrow(/UNIQUE/)
    })
    expect(names(database)).toEqual(['a', 'd'])
    database.close()
  })

  test('that only reads sees one moment, whatever another process writes meanwhile', () => {
    const [reader, writer] = [Database.open(path), Database.open(path)]
    reader.read(() => {
      expect(names(reader)).toEqual([])
      writer.write(() => add(writer, 'a'))
      expect(names(reader)).toEqual([])
    })
    expect(reader.read(() => names(reader))).toEqual(['a'])
    for (const database of [reader, writer]) database.close()
  })
})

describe('another process', () => {
  test('that holds the database too long is named as the reason, and what waits is not lost', () => {
    Database.open(path).close()
    const [first, second] = [Database.open(path), Database.open(path, { busyMs: 20 })]
    first.write(() => {
      const failure = failureOf(() => second.write(() => second.run('DELETE FROM run')))
      expect(failure.fault).toBe('busy')
    })
    second.write(() => second.run('DELETE FROM run'))
    for (const database of [first, second]) database.close()
  })
})
