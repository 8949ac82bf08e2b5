import { DatabaseSync } from 'node:sqlite'

// A path → SQLite with the file open, as all of this wing want it.

export interface DatabaseAccess {
  readonly path: string
  readonly busyMs: number
  readonly kind: 'change' | 'look'
}

export function connect({ path, busyMs, kind }: DatabaseAccess): DatabaseSync {
  const sqlite = new DatabaseSync(path, { timeout: busyMs, readOnly: kind === 'look' })
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
