import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'

// A path → SQLite with the file open, as all of this wing want it.

export interface DatabaseAccess {
  readonly path: string
  readonly busyMs: number
  readonly kind: 'change' | 'look'
}

/** Never makes the file: one that SQLite makes is empty, and stands where a database was lost. */
export function connect({ path, busyMs, kind }: DatabaseAccess): DatabaseSync {
  const file = pathToFileURL(path)
  file.searchParams.set('mode', kind === 'look' ? 'ro' : 'rw')
  const sqlite = new DatabaseSync(file, { timeout: busyMs, readOnly: kind === 'look' })
  if (kind === 'look') return sqlite
  try {
    sqlite.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON')
    // The journal is there once something was read.
    sqlite.exec('PRAGMA user_version')
  } catch (error) {
    sqlite.close()
    throw error
  }
  return sqlite
}
