import { statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { bootId } from './kept-files.ts'
import { seesAll } from './seen-paths.ts'

// What plugins read of this machine: files, which network namespace is at a path, and which of its starts this is.

/** ESRCH: of a process that ends this moment. */
const ABSENT: readonly string[] = ['ENOENT', 'ENOTDIR', 'ESRCH']

export const hostFiles = {
  /** Undefined where there is no such file. */
  read(path: string): Promise<string | undefined> {
    return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
      throw error
    })
  },

  /** `4:4026532281`; undefined where nothing is at the path. Fails where it cannot be looked at: that is not the same. */
  async namespaceId(path: string): Promise<string | undefined> {
    try {
      // At once: it is in memory, and to ask another thread for it takes longer than the answer.
      const found = statSync(path, { throwIfNoEntry: false })
      return found && `${found.dev}:${found.ino}`
    } catch (error) {
      if (ABSENT.includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
      throw error
    }
  },

  seesAll,

  /** Empty where the machine does not say. */
  bootId(): Promise<string> {
    thisBoot ??= bootId().then(id => id ?? '')
    return thisBoot
  },
}

/** The same for as long as this process runs. */
let thisBoot: Promise<string> | undefined
