import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { LeaseStoreFailed } from '../store-failed.ts'
import { connect, type DatabaseAccess } from './connect.ts'
import { createIfAbsent, isAbsent } from './creation.ts'
import { explained, gone, otherVersion } from './fault.ts'
import { compareFiles, type FilesAt, filesAt } from './files-at.ts'
import { Reserve } from './reserve.ts'
import { writeAnew } from './restoration.ts'
import { MIGRATIONS } from './schema.ts'
import { migrate, type OpenFile, versionOf } from './version.ts'

// The file of leases → questions and changes in SQL. Several processes may have it open; what a transaction wrote is on the
// disk when it ends.

export type Row = Readonly<Record<string, SQLInputValue>>

interface OpenOptions {
  readonly migrations?: readonly string[]
  /** How long another process may be waited for. */
  readonly busyMs?: number
}

/** Other processes write for milliseconds; a disk that syncs slowly is why there is more. */
const BUSY_MS = 5000
/** SQLite tries four times in it. */
const AT_ONCE_MS = 10

export class Database {
  readonly path: string
  readonly #access: DatabaseAccess
  readonly #reserve: Reserve
  #sqlite: DatabaseSync
  #files: FilesAt
  #patienceMs: number
  #users = 1
  readonly #statements = new Map<string, StatementSync>()

  private constructor(access: DatabaseAccess) {
    this.path = access.path
    this.#access = access
    this.#reserve = new Reserve(access.path)
    this.#sqlite = connect(access)
    this.#patienceMs = access.busyMs
    this.#files = filesAt(this.path)
  }

  /** Makes the database where there is none. Fails with LeaseStoreFailed, as everything here. */
  static open(path: string, { migrations = MIGRATIONS, busyMs = BUSY_MS }: OpenOptions = {}): Database {
    const open = () => {
      createIfAbsent(path)
      const database = new Database({ path, busyMs, kind: 'change' })
      return database.#closedOnFailure(() => migrate(database.#file, migrations, work => database.write(work)))
    }
    // Without a daemon a release begins with this, and the journal with its first bytes.
    return new Reserve(path).opened(() => explained(path, open))
  }

  /** Only to look, beside all who write; undefined where there is no database yet. */
  static look(path: string): Database | undefined {
    return explained(path, () => {
      if (isAbsent(path)) return undefined
      const database = new Database({ path, busyMs: BUSY_MS, kind: 'look' })
      return database.#closedOnFailure(() => {
        const version = versionOf(database.#file)
        if (version !== MIGRATIONS.length) throw otherVersion(path, version, MIGRATIONS.length)
      })
    })
  }

  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return explained(this.path, () => this.#statement(sql).get(...values) as Row | undefined)
  }

  all(sql: string, ...values: SQLInputValue[]): readonly Row[] {
    return explained(this.path, () => this.#statement(sql).all(...values) as unknown as readonly Row[])
  }

  /** How many rows it changed. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return explained(this.path, () => Number(this.#statement(sql).run(...values).changes))
  }

  /** All of it is on the disk when this returns, and nothing of it where this throws. */
  write<T>(work: () => T): T {
    return this.#change(work)
  }

  /** The same, and `busy` at once where another process writes: for those who can wait without holding up everything else. */
  writeNow<T>(work: () => T): T {
    return this.#change(work, AT_ONCE_MS)
  }

  /** The same without a wait for the disk, for what a loss of power takes with it anyway. */
  writeUnsynced<T>(work: () => T): T {
    this.#restoreIfGone()
    this.#sqlite.exec('PRAGMA synchronous = NORMAL')
    try {
      return this.#change(work)
    } finally {
      if (this.#sqlite.isOpen) this.#sqlite.exec('PRAGMA synchronous = FULL')
    }
  }

  /** For writes that end leases, or keep them: where the disk is full, they have the room that is left. Others fail meanwhile. */
  freeing<T>(write: () => T): T {
    return this.#reserve.spend(write, () => this.#emptyJournal())
  }

  /** One moment, whatever other processes write meanwhile. */
  read<T>(work: () => T): T {
    this.#restoreIfGone()
    return this.#within('BEGIN', work)
  }

  /** A part of a transaction that fails alone. */
  attempt<T>(work: () => T): T {
    this.run('SAVEPOINT attempt')
    try {
      const result = work()
      this.run('RELEASE attempt')
      return result
    } catch (error) {
      if (this.#sqlite.isTransaction) {
        this.run('ROLLBACK TO attempt')
        this.run('RELEASE attempt')
      }
      throw error
    }
  }

  /** What SQLite finds wrong with the file; a look at all of it. */
  faults(): readonly string[] {
    const found = this.all('PRAGMA quick_check(5)').map(row => String(row.quick_check))
    return found.filter(line => line !== 'ok')
  }

  /**
   * The same connection for one more user, who closes it, too. Two connections of one process would each put back a file that
   * was removed, and then take the other's for a foreign one.
   */
  share(): this {
    this.#users++
    return this
  }

  close(): void {
    if (--this.#users > 0) return
    this.#disconnect()
    if (this.#access.kind === 'change') this.#reserve.refill()
  }

  #disconnect(): void {
    this.#statements.clear()
    if (this.#sqlite.isOpen) this.#sqlite.close()
  }

  /** SQLite opens a file for reading alone where it cannot be written, and keeps to that: it is opened anew, also next time. */
  #change<T>(work: () => T, patienceMs?: number): T {
    this.#restoreIfGone()
    this.#reserve.require()
    try {
      return this.#within('BEGIN IMMEDIATE', work, patienceMs)
    } catch (error) {
      this.#reserve.failed(error)
      if (!(error instanceof LeaseStoreFailed) || error.fault !== 'read-only') throw error
      explained(this.path, () => this.#reconnect())
      return this.#within('BEGIN IMMEDIATE', work, patienceMs)
    }
  }

  #within<T>(begin: string, work: () => T, patienceMs = this.#access.busyMs): T {
    this.#waitFor(patienceMs)
    try {
      this.run(begin)
    } finally {
      this.#waitFor(this.#access.busyMs)
    }
    try {
      const result = work()
      this.run('COMMIT')
      return result
    } catch (error) {
      // Where the disk is full, SQLite has rolled back itself.
      if (this.#sqlite.isTransaction) this.run('ROLLBACK')
      throw error
    }
  }

  /** Not cut: its blocks are room, too. What goes wrong here, the next write says. */
  #emptyJournal(): void {
    try {
      this.get('PRAGMA wal_checkpoint(PASSIVE)')
    } catch {}
  }

  get #file(): OpenFile {
    return { path: this.path, sqlite: this.#sqlite }
  }

  #waitFor(ms: number): void {
    if (ms !== this.#patienceMs) this.#sqlite.exec(`PRAGMA busy_timeout = ${ms}`)
    this.#patienceMs = ms
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#sqlite.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }

  #closedOnFailure(work: () => void): this {
    try {
      work()
      return this
    } catch (error) {
      this.close()
      throw error
    }
  }

  /**
   * A folder that was emptied while the database is in use: what it held is known here and nowhere else, and the next process
   * would begin with nothing and give the addresses of running pods again. So it is put back.
   */
  #restoreIfGone(): void {
    if (this.#access.kind === 'look') return
    if (!this.#sqlite.isOpen) explained(this.path, () => this.#reconnect())
    const now = filesAt(this.path)
    const state = compareFiles(this.#files, now)
    if (state === 'same') return
    if (state === 'replaced') throw gone(this.path, 'replaced by another file')
    try {
      if (now[0] === undefined) writeAnew(this.path, this.#sqlite)
      else this.run('PRAGMA wal_checkpoint(TRUNCATE)')
      this.#reconnect()
    } catch (error) {
      throw gone(this.path, `removed, and could not be put back (${(error as Error).message})`)
    }
  }

  /** What SQLite knows of a file is one for all of a process: the old connection goes first. */
  #reconnect(): void {
    this.#disconnect()
    this.#sqlite = connect(this.#access)
    this.#patienceMs = this.#access.busyMs
    this.#files = filesAt(this.path)
  }
}
