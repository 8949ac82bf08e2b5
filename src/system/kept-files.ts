import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
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

/** A text is there whole or not at all: it takes its name once it is written. */
export function keepIn(folder: string): Keep {
  return {
    load: name => readFile(join(folder, name), 'utf8').catch(() => undefined),
    save: async (name, text) => {
      const path = join(folder, name)
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 })
        await writeFile(`${path}.new`, text, { mode: 0o600 })
        await rename(`${path}.new`, path)
      } catch {
        // A file system that may only be read, or is full.
      }
    },
  }
}
