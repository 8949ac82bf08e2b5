import {
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Database } from '#ipam/leases/database/database.ts'
import { MIGRATIONS } from '#ipam/leases/database/schema.ts'
import { readLeases } from '#ipam/leases/lease-view.ts'
import { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { LeaseStoreFailed } from '#ipam/leases/store-failed.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { holder, leaseRequest, range } from '../../support/leases.ts'

// What may become of the file of leases: each time one clear error, or nothing lost, and never an address given blindly.

let folder: string
let path: string
const books: SqliteLeaseBook[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'leases-'))
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

describe('a new database', () => {
  test('is for root alone, in a folder for root alone, and leaves nothing else there', async () => {
    await closedWithLeases()
    expect((statSync(path).mode & 0o777).toString(8)).toBe('600')
    expect((statSync(dirname(path)).mode & 0o777).toString(8)).toBe('700')
    expect(['-wal', '-shm', `.new-${process.pid}`].filter(ending => existsSync(`${path}${ending}`))).toEqual([])
  })

  test('has a journal for root alone, too', async () => {
    await take(open(), 'a')
    const modes = ['-wal', '-shm'].map(ending => (statSync(`${path}${ending}`).mode & 0o777).toString(8))
    expect(modes).toEqual(['600', '600'])
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
})

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

  test('is not made anew beside the journal that is left of it', async () => {
    await take(open(), 'a')
    const wal = readFileSync(`${path}-wal`)
    books.pop()?.close()
    rmSync(path)
    writeFileSync(`${path}-wal`, wal)
    expect(failureOf(open).message).toMatch(/is damaged: it is gone, and its journal .*ipam\.db-wal is there$/)
    expect(existsSync(path)).toBe(false)
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

test('leases are counted by network and state', async () => {
  const book = open()
  for (const name of ['a', 'b', 'c']) await book.take(leaseRequest(name, { cooldownMs: 1000 }))
  await book.take(leaseRequest('d', { network: 'other' }))
  await book.release(holder('b'), 'DEL')
  expect(book.counts()).toEqual([
    { network: 'mynet', state: 'assigned', count: 2 },
    { network: 'mynet', state: 'cooldown', count: 1 },
    { network: 'other', state: 'assigned', count: 1 },
  ])
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

test('while another process writes, changes wait together, and other work goes on', async () => {
  const book = open()
  const other = Database.open(path)
  other.run('BEGIN IMMEDIATE')
  const order: string[] = []
  const first = take(book, 'a').then(() => order.push('a'))
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
  const second = take(book, 'b').then(() => order.push('b'))
  await new Promise(setImmediate)
  order.push('other work')
  other.run('COMMIT')
  other.close()
  await Promise.all([first, second])
  expect(order).toEqual(['other work', 'a', 'b'])
})

describe('changes of one turn', () => {
  test('are one transaction, each refused alone', async () => {
    const book = open()
    const names = ['a', 'b', 'a', 'c', 'd', 'e', 'f', 'g']
    const outcomes = await Promise.allSettled(names.map(name => take(book, name)))
    expect(outcomes.map(one => (one.status === 'fulfilled' ? one.value[0] : one.reason.refusal.kind))).toEqual([
      ...['10.9.0.2', '10.9.0.3', 'duplicate', '10.9.0.4', '10.9.0.5', '10.9.0.6', 'full', 'full'],
    ])
    book.verify()
  })

  test('that are waiting when the book is closed are made', async () => {
    const book = open()
    const taken = take(book, 'a')
    books.pop()!.close()
    expect(await taken).toEqual(['10.9.0.2'])
    expect(readLeases(path, 0)?.[0]?.leases).toHaveLength(1)
  })
})
