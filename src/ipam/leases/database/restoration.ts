import { existsSync, truncateSync } from 'node:fs'
import { dirname } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { intoPlace, makeFolder } from './creation.ts'

// A database that is open, and whose file was removed → the file again.

export function writeAnew(path: string, sqlite: DatabaseSync): void {
  makeFolder(dirname(path))
  const placed = intoPlace(path, draft => {
    sqlite.exec(`VACUUM INTO '${draft.replaceAll("'", "''")}'`)
    // SQLite would write an old journal into the new file.
    if (existsSync(`${path}-wal`)) truncateSync(`${path}-wal`)
  })
  if (placed === 'taken') throw new Error('another process was faster')
}
