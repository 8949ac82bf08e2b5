import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

// The controller as it is shipped: its numbers and its memory.

export interface ControllerOptions {
  readonly program: string
  readonly env: NodeJS.ProcessEnv
  readonly master: string
  readonly port: number
}

export class BenchController {
  readonly #child: ChildProcess
  readonly #port: number
  readonly startedAt = performance.now()

  constructor({ program, env, master, port }: ControllerOptions) {
    const words = [
      ...[program, 'ranges', 'controller', `--master=${master}`, '--leader-elect=false'],
      ...['--cluster-cidr=10.0.0.0/11,fd00::/48', `--ranges-metrics-bind-address=127.0.0.1:${port}`],
    ]
    // It ends with the bench, whatever becomes of that.
    const all = ['--pdeathsig', 'KILL', process.execPath, ...words]
    this.#child = spawn('setpriv', all, { stdio: ['ignore', 'ignore', 'ignore'], env })
    this.#port = port
  }

  /** A number of its /metrics, all series together. */
  async counted(name: string, label = ''): Promise<number> {
    const answer = await fetch(`http://127.0.0.1:${this.#port}/metrics`)
    const lines = (await answer.text()).split('\n')
    const fitting = lines.filter(line => line.startsWith(name) && line.includes(label))
    return fitting.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  }

  memoryMiB(what: 'VmRSS' | 'VmHWM'): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8')
    return Number(new RegExp(`^${what}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null
  }

  async stop(): Promise<void> {
    const ended = new Promise(resolve => this.#child.once('close', resolve))
    this.#child.kill('SIGTERM')
    await ended
  }
}
