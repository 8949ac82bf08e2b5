import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { inject } from 'vitest'

// A folder that all test files of a run share: the first that wants it makes it, apart, and what is there is whole.

/** `make` fills the folder that it is given. The one that is returned is everyone's: a test that changes it works with a copy. */
export function madeOnce(name: string, make: (folder: string) => void): string {
  const all = inject('buildFolder')
  const shared = join(all, name)
  if (existsSync(shared)) return shared
  const own = mkdtempSync(join(all, `${name}-`))
  make(own)
  try {
    renameSync(own, shared)
  } catch (error) {
    // Another file has made the same meanwhile.
    if (!existsSync(shared)) throw error
    rmSync(own, { recursive: true })
  }
  return shared
}
