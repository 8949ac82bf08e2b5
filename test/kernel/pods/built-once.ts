import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { madeOnce } from './made-once.ts'
import { compileShim } from './shim.ts'

// The program as it is shipped, with the helper beside it, built once for all test files of a run.

const BUILD = fileURLToPath(new URL('../../../build.ts', import.meta.url))

export function builtOnce(): string {
  return madeOnce('dist', folder => {
    execFileSync(process.execPath, [BUILD, `--into=${folder}`])
    compileShim(folder, 'cni-shim')
  })
}
