import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { damaged } from './fault.ts'
import { APPLICATION_ID, MIGRATIONS } from './schema.ts'

// A path where no database is → one that is whole: it gets its name once it is on the disk. So an empty file under that name
// is no new database but one that was lost, and no address is given from it.

/** Nothing is there, and nothing says that something was. */
export function isAbsent(path: string, sizeAt = sizeOf): boolean {
  const size = sizeAt(path)
  if (size === 0) throw damaged(path, 'the file is empty')
  if (size !== undefined) return false
  if (sizeAt(`${path}-wal`) === undefined) return true
  // Another process may have made both between these looks: a file is there before its journal is.
  if (sizeAt(path) !== undefined) return false
  // SQLite would write what is left in the journal into any new file of that name.
  throw damaged(path, `it is gone, and its journal ${path}-wal is there`)
}

export function createIfAbsent(path: string): void {
  if (!isAbsent(path)) return
  makeFolder(dirname(path))
  intoPlace(path, draft => {
    const sqlite = new DatabaseSync(draft)
    try {
      sqlite.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
      sqlite.exec(`BEGIN; ${MIGRATIONS.join('')}; ${versionPragmas(MIGRATIONS.length)}; COMMIT`)
    } finally {
      sqlite.close()
    }
  })
}

export function versionPragmas(version: number): string {
  return `PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${version}`
}

/** Made beside the path and then named so. Where another process was faster, its file stays. */
export function intoPlace(path: string, make: (draft: string) => void): 'placed' | 'taken' {
  const draft = `${path}.new-${process.pid}`
  remove(draft)
  try {
    closeSync(openSync(draft, 'wx', 0o600))
    make(draft)
    sync(draft)
    const placed = link(draft, path)
    sync(dirname(path))
    return placed
  } finally {
    remove(draft)
  }
}

/** With the folders above it. Node's own way says ENOENT where the file system can only be read. */
export function makeFolder(path: string): void {
  try {
    makeOne(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    makeFolder(dirname(path))
    makeOne(path)
  }
}

/** Another process may have made it meanwhile: at the start of a node several open the database at once. */
function makeOne(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** Undefined where there is no such file. */
function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size
}

function link(draft: string, path: string): 'placed' | 'taken' {
  try {
    linkSync(draft, path)
    return 'placed'
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return 'taken'
  }
}

function sync(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function remove(draft: string): void {
  for (const ending of ['', '-wal', '-shm', '-journal']) rmSync(`${draft}${ending}`, { force: true })
}
