import { type Stats, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

// The name of a CNI plugin, folders → the executable that a runtime would start, and whether it is one of ours. Of an
// executable of ours the work can be done without starting it.

export interface Executables {
  /** The first regular file of that name; undefined where there is none. */
  find(name: string, folders: readonly string[]): Promise<FoundExecutable | undefined>
}

export interface FoundExecutable {
  readonly path: string
  readonly isOurs: boolean
}

/** Stands in src/cni/shim.c, and so in each copy of it, under whichever name it is installed. */
const MARK = 'a CNI plugin of Switchyard'
/** The helper has far fewer bytes, and a plugin in Go far more: those are not even read. */
const LARGEST_OF_OURS = 2 * 2 ** 20

interface Seen {
  /** Of the file: another one is looked at again. */
  readonly identity: string
  readonly isOurs: boolean
}

export function hostExecutables(): Executables {
  const seen = new Map<string, Seen>()
  return {
    async find(name, folders) {
      for (const folder of folders) {
        const path = join(folder, name)
        const file = fileAt(path)
        if (!file?.isFile()) continue
        const identity = `${file.dev}:${file.ino}:${file.size}:${file.mtimeMs}`
        const before = seen.get(path)
        if (before?.identity === identity) return { path, isOurs: before.isOurs }
        const isOurs = file.size <= LARGEST_OF_OURS && (await isMarked(path))
        seen.set(path, { identity, isOurs })
        return { path, isOurs }
      }
      return undefined
    },
  }
}

/** At once: a pod waits, and to ask another thread takes longer than the answer. */
function fileAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

/** What may not be read is foreign. */
function isMarked(path: string): Promise<boolean> {
  return readFile(path).then(
    bytes => bytes.includes(MARK),
    () => false,
  )
}
