import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PodsContender } from './contender.ts'

// The contenders' plugins in a folder, and a program that runs on a node of its own. All state is on the disk that has the
// folder for temporary files.

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const HELPER = 'src/cni/shim.c'
const WORLD = [
  'set -e',
  'mount --make-rprivate /',
  'mount -t tmpfs tmpfs /run',
  'mount --bind "$1" /var/lib',
  'mkdir -p /run/netns',
  'ip link set lo up',
  'shift',
  'exec "$@"',
].join('\n')

export interface World {
  readonly contenders: readonly PodsContender[]
  /** Of the daemon, and what it is started with. */
  readonly program: string
  /** The compiled timed.c. */
  readonly timed: string
  readonly env: Readonly<Record<string, string>>
}

/** The program gets an order as its argument, and prints figures as JSON. */
export function measuredInWorld<T>(peer: string, inside: string, orderOf: (world: World) => object): T {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-bench-pods-'))
  try {
    const program = prepare(folder)
    const timed = join(folder, 'timed')
    compile('bench/pods/timed.c', timed)
    const contenders: readonly PodsContender[] = [
      { name: 'switchyard', bin: join(folder, 'with-daemon') },
      { name: 'fallback', bin: join(folder, 'alone') },
      { name: 'peer', bin: peer },
    ]
    const env = {
      NODE_COMPILE_CACHE: join(folder, 'compiled'),
      NODE_OPTIONS: '--max-semi-space-size=4',
      MALLOC_ARENA_MAX: '2',
    }
    const order = JSON.stringify(orderOf({ contenders, program, timed, env }))
    const started = [process.execPath, inside, order]
    const words = ['--mount', '--net', 'sh', '-c', WORLD, 'sh', join(folder, 'state'), ...started]
    const { status, stdout } = spawnSync('unshare', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
    if (status !== 0) throw new Error(`the bench ended with ${status}: ${stdout}`)
    return JSON.parse(stdout) as T
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Returns the program of the daemon. */
function prepare(folder: string): string {
  const dist = join(folder, 'dist')
  execFileSync(process.execPath, ['build.ts', '--into', dist], { cwd: ROOT })
  for (const name of ['with-daemon', 'alone', 'state']) mkdirSync(join(folder, name))
  for (const plugin of ['bridge', 'host-local', 'portmap', 'loopback']) {
    compile(HELPER, join(folder, 'with-daemon', plugin))
    compile(HELPER, join(folder, 'alone', plugin), '-DSOCKET="/run/no-daemon.sock"')
  }
  const beside = join(folder, 'alone', '.switchyard')
  mkdirSync(beside)
  symlinkSync(process.execPath, join(beside, 'node'))
  symlinkSync(join(dist, 'cni.js'), join(beside, 'cni.js'))
  writeFileSync(join(beside, 'package.json'), '{"type":"module"}\n')
  return join(dist, 'switchyard.js')
}

function compile(source: string, into: string, ...more: readonly string[]): void {
  execFileSync('musl-gcc', ['-static', '-Os', '-s', ...more, '-o', into, source], { cwd: ROOT })
}
