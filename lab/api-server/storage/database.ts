import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { ApiObject } from '../object.ts'
import { itemText } from '../object-text.ts'

// Objects ⇄ a SQLite file. Every change is there before it is answered, with the resourceVersion it made.

/** What a store writes through to. */
export interface Storage {
  load(): StoredState | undefined
  /** `shelf` names the resource, `key` the object on it. */
  write(shelf: string, key: string, object: ApiObject): void
  erase(shelf: string, key: string, revision: number): void
  close(): void
}

export interface StoredState {
  readonly revision: number
  readonly objects: readonly { readonly shelf: string; readonly key: string; readonly object: ApiObject }[]
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS object (
    shelf TEXT NOT NULL,  -- apps/v1/deployments
    key   TEXT NOT NULL,  -- namespace/name, or a name alone
    text  TEXT NOT NULL,  -- JSON without kind and apiVersion
    PRIMARY KEY (shelf, key)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS newest (only INTEGER PRIMARY KEY CHECK (only = 1), revision INTEGER NOT NULL);
`

export function openDatabase(path: string): Storage {
  return new SqliteStorage(path)
}

class SqliteStorage implements Storage {
  readonly #database: DatabaseSync
  readonly #put: StatementSync
  readonly #remove: StatementSync
  readonly #mark: StatementSync

  constructor(path: string) {
    const database = new DatabaseSync(path)
    // A killed process loses nothing of this; only a machine that loses its power may lose the last changes.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000')
    database.exec(SCHEMA)
    this.#database = database
    this.#put = database.prepare('INSERT OR REPLACE INTO object (shelf, key, text) VALUES (?, ?, ?)')
    this.#remove = database.prepare('DELETE FROM object WHERE shelf = ? AND key = ?')
    this.#mark = database.prepare('INSERT OR REPLACE INTO newest (only, revision) VALUES (1, ?)')
  }

  load(): StoredState | undefined {
    const newest = this.#database.prepare('SELECT revision FROM newest').get() as { revision: number } | undefined
    if (newest === undefined) return undefined
    const rows = this.#database.prepare('SELECT shelf, key, text FROM object').all() as unknown as readonly Row[]
    const objects = rows.map(({ shelf, key, text }) => ({ shelf, key, object: JSON.parse(text) as ApiObject }))
    return { revision: newest.revision, objects }
  }

  write(shelf: string, key: string, object: ApiObject): void {
    this.#together(() => {
      this.#put.run(shelf, key, itemText(object))
      this.#mark.run(Number(object.metadata.resourceVersion))
    })
  }

  erase(shelf: string, key: string, revision: number): void {
    this.#together(() => {
      this.#remove.run(shelf, key)
      this.#mark.run(revision)
    })
  }

  close(): void {
    this.#database.close()
  }

  #together(change: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      change()
      this.#database.exec('COMMIT')
    } catch (error) {
      this.#database.exec('ROLLBACK')
      throw error
    }
  }
}

interface Row {
  readonly shelf: string
  readonly key: string
  readonly text: string
}
