import { cpSync, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { inject } from 'vitest'
import { builtOnce } from '../pods/built-once.ts'

// The program for the clusters of all test files of a run. What its processes compile of it they keep beside it, so the later ones
// start sooner; `npm start` itself is tested also as a person starts it, who has nothing built.

export function clusterProgram(): string {
  const folder = inject('buildFolder')
  const shared = join(folder, 'cluster')
  if (existsSync(shared)) return shared
  const own = mkdtempSync(join(folder, 'copying-'))
  cpSync(builtOnce(), own, { recursive: true })
  try {
    renameSync(own, shared)
  } catch (error) {
    // Another file has copied the same meanwhile.
    if (!existsSync(shared)) throw error
    rmSync(own, { recursive: true })
  }
  return shared
}
