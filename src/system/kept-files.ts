import { constants, mkdir, open, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Keep } from './ports.ts'

// A folder that outlives the process → texts kept there. It is a convenience: where there can be none, nothing is kept.

/** Another one after each start of the machine; undefined where it does not say. */
export function bootId(): Promise<string | undefined> {
  return readFile(BOOT_ID, 'latin1').then(
    text => text.trim(),
    () => undefined,
  )
}

const BOOT_ID = '/proc/sys/kernel/random/boot_id'

/** A text takes its name once it is written whole; what is added to it later may be torn. */
export function keepIn(folder: string): Keep {
  return {
    load: name => readFile(join(folder, name), 'utf8').catch(() => undefined),
    save: (name, pieces) => {
      const path = join(folder, name)
      return done(async () => {
        await mkdir(folder, { recursive: true, mode: 0o700 })
        await writeFile(`${path}.new`, pieces, { mode: 0o600 })
        await rename(`${path}.new`, path)
      })
    },
    append: (name, piece) =>
      done(async () => {
        await using file = await open(join(folder, name), constants.O_WRONLY | constants.O_APPEND)
        await file.writeFile(piece)
      }),
  }
}

/** False on a file system that may only be read, or is full. */
function done(work: () => Promise<void>): Promise<boolean> {
  return work().then(
    () => true,
    () => false,
  )
}
