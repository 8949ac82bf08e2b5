import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { NODE_NAME } from './cluster.ts'
import type { BenchMode, Contender } from './node/task.ts'

// What is measured: this tree, built afresh and started as the image starts it, and a peer.

export const OURS = 'switchyard'
export const PEER = 'peer'

const ROOT = fileURLToPath(new URL('../', import.meta.url))

const FLAGS = [
  `--hostname-override=${NODE_NAME}`,
  '--cluster-cidr=10.128.0.0/9',
  '--conntrack-max-per-core=0',
  '--conntrack-tcp-timeout-established=0s',
  '--conntrack-tcp-timeout-close-wait=0s',
  '--healthz-bind-address=127.0.0.1:10256',
  '--metrics-bind-address=127.0.0.1:10249',
]

export class Workshop {
  readonly folder = mkdtempSync(join(tmpdir(), 'switchyard-bench-'))
  /** This Node.js before any other, for what `env node` finds. */
  readonly path = `${dirname(process.execPath)}:${process.env.PATH}`
  readonly program = join(this.folder, 'dist', 'switchyard.js')

  constructor() {
    const build = spawnSync(process.execPath, ['build.ts', '--into', join(this.folder, 'dist')], {
      cwd: ROOT,
      encoding: 'utf8',
    })
    if (build.status !== 0) throw new Error(`the build failed: ${build.stderr}`)
  }

  ours(mode: BenchMode): Contender {
    const image = readFileSync(join(ROOT, 'manifests', 'Dockerfile'), 'utf8')
    return {
      name: OURS,
      argv: [this.program, `--proxy-mode=${mode}`, ...FLAGS],
      env: { ...imageEnvironment(image), NODE_COMPILE_CACHE: join(this.folder, 'compiled') },
    }
  }

  /** A command line: a kube-proxy, or an older build as `node PATH`. */
  peer(mode: BenchMode, commandLine: string): Contender {
    return {
      name: PEER,
      argv: [...peerWords(commandLine), `--proxy-mode=${mode}`, ...FLAGS, '--kube-api-content-type=application/json'],
      env: { NODE_COMPILE_CACHE: join(this.folder, 'compiled-peer') },
    }
  }

  /** As in the image. */
  environment(): NodeJS.ProcessEnv {
    const image = readFileSync(join(ROOT, 'manifests', 'Dockerfile'), 'utf8')
    return { ...process.env, ...imageEnvironment(image), NODE_COMPILE_CACHE: join(this.folder, 'compiled') }
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

export function peerWords(commandLine: string): readonly string[] {
  return commandLine.split(' ').filter(word => word !== '')
}

/** What the last stage of a Dockerfile sets with ENV. */
export function imageEnvironment(dockerfile: string): Readonly<Record<string, string>> {
  const lastStage = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '))
  const pairs = [...lastStage.matchAll(/^ENV (.*)$/gm)].flatMap(([, rest]) => [...rest!.matchAll(/(\w+)=(\S+)/g)])
  return Object.fromEntries(pairs.map(([, name, value]) => [name!, value!]))
}
