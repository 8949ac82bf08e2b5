import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inject } from 'vitest'
import { compileShim } from './shim.ts'

// The program as it is shipped, with the helper beside it, built once for all test files of a run.

const BUILD = fileURLToPath(new URL('../../../build.ts', import.meta.url))
const BUILT = 'dist'

/** The folder is everyone's: a test works with a copy. */
export function builtOnce(): string {
  const folder = inject('buildFolder')
  const built = join(folder, BUILT)
  if (existsSync(built)) return built
  const own = mkdtempSync(join(folder, 'building-'))
  execFileSync(process.execPath, [BUILD, `--into=${own}`])
  compileShim(own, 'cni-shim')
  try {
    renameSync(own, built)
  } catch (error) {
    // Another file has built the same meanwhile.
    if (!existsSync(built)) throw error
    rmSync(own, { recursive: true })
  }
  return built
}
