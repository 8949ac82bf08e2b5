import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

// src/cni/shim.c, compiled for a socket of a test's own, and called as a runtime calls it.

const SOURCE = fileURLToPath(new URL('../../../src/cni/shim.c', import.meta.url))
export const COMPILER = 'musl-gcc'

/** Undefined where it can be compiled. */
export function cannotCompile(): string | undefined {
  return spawnSync(COMPILER, ['--version']).error === undefined ? undefined : `${COMPILER} is not installed`
}

/** In seconds. */
export interface Patience {
  readonly READY_WITHIN: number
  readonly SILENT_FOR: number
}

/** Without a socket, for the one it is shipped with; without a patience, with that one. Returns its path. */
export function compileShim(folder: string, name: string, socket?: string, patience?: Patience): string {
  const path = join(folder, name)
  mkdirSync(folder, { recursive: true })
  const where = socket === undefined ? [] : [`-DSOCKET="${socket}"`]
  const words = ['-static', '-Os', '-s', '-Wall', '-Wextra', '-Werror', ...where, '-o', path, '-x', 'c', '-']
  execFileSync(COMPILER, words, { input: withPatience(readFileSync(SOURCE, 'utf8'), patience) })
  return path
}

function withPatience(source: string, patience: Patience | undefined): string {
  const all = Object.entries(patience ?? {})
  return all.reduce(
    (text, [name, seconds]) => text.replace(new RegExp(`^#define ${name} \\d+`, 'm'), `#define ${name} ${seconds}`),
    source,
  )
}

export interface ShimCall {
  /** After its name. */
  readonly words?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string
}

export interface ShimOutcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunningShim {
  readonly pid: number
  readonly ended: Promise<ShimOutcome>
  kill(): void
}

export function startShim(path: string, { env = {}, stdin = '', words = [] }: ShimCall = {}): RunningShim {
  const child = spawn(path, words, { env })
  const texts = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    texts.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    texts.stderr += text
  })
  child.stdin.on('error', () => {})
  child.stdin.end(stdin)
  const ended = new Promise<ShimOutcome>(resolve => child.once('close', code => resolve({ code, ...texts })))
  return { pid: child.pid!, ended, kill: () => child.kill('SIGKILL') }
}

export function callShim(path: string, call?: ShimCall): Promise<ShimOutcome> {
  return startShim(path, call).ended
}
