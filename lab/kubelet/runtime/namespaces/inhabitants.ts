import { readdirSync, readlinkSync, statSync } from 'node:fs'
import type { Clock } from '#system/ports.ts'

// A network namespace → the processes in it, ended.

const WAIT_MS = 5

/** Resolves when none is left. */
export async function endInhabitants(path: string, clock: Clock): Promise<void> {
  for (let left = inhabitants(path); left.length > 0; left = inhabitants(path)) {
    for (const pid of left) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It ended meanwhile.
      }
    }
    await clock.sleep(WAIT_MS)
  }
}

function inhabitants(path: string): readonly number[] {
  const inode = statSync(path, { throwIfNoEntry: false })?.ino
  if (inode === undefined) return []
  const numbers = readdirSync('/proc').filter(name => /^\d+$/.test(name))
  return numbers.filter(pid => namespaceOf(pid) === `net:[${inode}]`).map(Number)
}

/** One that has ended and waits for its parent has none. */
function namespaceOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`)
  } catch {
    return undefined
  }
}
