import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

// Folders of small files that other programs read and write, too.

export interface PlainFiles {
  /** Names of what is no folder, in alphabetical order; undefined where there is no such folder. */
  list(folder: string): Promise<readonly string[] | undefined>
  /** Undefined where there is no such file. */
  read(path: string): Promise<string | undefined>
  /** Whole or not at all, and for root alone. */
  write(path: string, text: string): Promise<void>
  /** What is not there is as good as removed. */
  remove(path: string): Promise<void>
}

export const plainFiles: PlainFiles = {
  list: folder =>
    readdir(folder, { withFileTypes: true }).then(
      entries =>
        entries
          .filter(entry => !entry.isDirectory())
          .map(({ name }) => name)
          .sort(),
      unlessAbsent,
    ),
  read: path => readFile(path, 'utf8').catch(unlessAbsent),
  async write(path, text) {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const whole = `${path}.new`
    try {
      await writeFile(whole, text, { mode: 0o600 })
      await rename(whole, path)
    } catch (error) {
      await rm(whole, { force: true })
      throw error
    }
  },
  remove: path => rm(path, { force: true }),
}

function unlessAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
  return undefined
}
