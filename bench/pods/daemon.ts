import { type ChildProcess, spawn } from 'node:child_process'
import { openSync, readFileSync } from 'node:fs'
import { SOCKET } from '#cni/daemon/service.ts'
import { PODS_METRICS } from '#config/table/rows-pods.ts'
import { isServed } from '#system/placed-socket.ts'

// The daemon as it is shipped: how long it takes to serve, and its memory.

const LOG = '/run/pods.log'

export interface DaemonOptions {
  readonly program: string
  readonly env: NodeJS.ProcessEnv
  /** Whether it looks for leaked leases. */
  readonly rounds: 'none' | 'each-minute'
}

const ROUNDS = { none: ['--leaks-period=0'], 'each-minute': [] } as const

export class BenchDaemon {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  /** Resolves when it accepts connections, with the milliseconds that took. */
  static async start({ program, env, rounds }: DaemonOptions): Promise<{ daemon: BenchDaemon; ms: number }> {
    const begun = performance.now()
    const log = openSync(LOG, 'a')
    // It ends with the bench, whatever becomes of that.
    const words = ['--pdeathsig', 'KILL', process.execPath, program, 'pods', ...ROUNDS[rounds]]
    const child = spawn('setpriv', words, { stdio: ['ignore', log, log], env })
    while (!(await isServed(SOCKET))) {
      if (child.exitCode !== null) throw new Error(`the daemon ended: ${readFileSync(LOG, 'utf8')}`)
      await new Promise(resolve => setTimeout(resolve, 5))
    }
    return { daemon: new BenchDaemon(child), ms: performance.now() - begun }
  }

  /** Resolves when it has looked for leaks once. */
  async round(): Promise<void> {
    while (!(await metrics()).includes('ipam_leak_rounds_total{result="done"}')) {
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }

  memoryMiB(what: 'VmRSS' | 'VmHWM'): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8')
    return Number(new RegExp(`^${what}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024
  }

  async stop(): Promise<void> {
    const ended = new Promise(resolve => this.#child.once('close', resolve))
    this.#child.kill('SIGTERM')
    await ended
  }
}

function metrics(): Promise<string> {
  return fetch(`http://${PODS_METRICS}/metrics`).then(
    response => response.text(),
    () => '',
  )
}
