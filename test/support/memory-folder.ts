import { accessSync, constants, mkdtempSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// A new folder for files that a test makes and deletes again. In it no change waits for a disk: of databases, that is most of a
// test's time, and on a slow disk all of it.

const MEMORY = '/dev/shm'
/** A database has less than one. */
const ROOM_BYTES = 32 * 2 ** 20

/** In memory, where there is such a place and it has room. */
export function memoryFolder(prefix: string): string {
  return mkdtempSync(join(hasRoom() ? MEMORY : tmpdir(), prefix))
}

function hasRoom(): boolean {
  try {
    accessSync(MEMORY, constants.W_OK)
    const { bavail, bsize } = statfsSync(MEMORY)
    return bavail * bsize >= ROOM_BYTES
  } catch {
    return false
  }
}
