import { closeSync, openSync } from 'node:fs'
import { libc } from './netlink/libc.ts'
import type { Clock } from './ports.ts'

// A file that programs lock with flock → work that is done while none of them has it.

const LOCK_EX = 2
const LOCK_NB = 4
const LOCK_UN = 8
const RETRY_MS = 20
const TRIES = 250

/** Makes the file where there is none. Where Node may not call flock, the work is done without. */
export async function whileLocked<T>(path: string, clock: Clock, work: () => Promise<T>): Promise<T> {
  const fd = openSync(path, 'a+', 0o750)
  try {
    const c = libc()
    for (let tries = 1; c !== undefined && c.flock(fd, LOCK_EX | LOCK_NB) !== 0; tries++) {
      if (tries === TRIES) throw new Error(`${path} stays locked by another process (fuser -v ${path} shows which)`)
      await clock.sleep(RETRY_MS)
    }
    return await work()
  } finally {
    // To close it is not enough: a program that another thread just starts has it, too, until it runs.
    libc()?.flock(fd, LOCK_UN)
    closeSync(fd)
  }
}
