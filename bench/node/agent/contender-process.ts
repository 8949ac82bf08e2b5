import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { dayTime } from '../day-time.ts'
import type { Task } from '../task.ts'
import { cpuMsOf, treeOf } from './process-tree.ts'

// A contender as it runs: from its start to its end.

/** How long a proxy may take to end. */
const GRACE_MS = 10_000

export class ContenderProcess {
  readonly startedAt: number
  readonly #child: ChildProcess

  /** With what the task says, and more of an environment. */
  constructor(task: Task, master: string, more: Readonly<Record<string, string>> = {}) {
    const [program, ...flags] = task.contender.argv as [string, ...string[]]
    const log = openSync(task.log, 'a')
    this.startedAt = dayTime()
    this.#child = spawn(program, [...flags, `--master=${master}`], {
      stdio: ['ignore', log, log],
      env: { ...environment(task), ...more },
    })
    closeSync(log)
  }

  get pid(): number {
    return this.#child.pid!
  }

  cpuMs(): number {
    return cpuMsOf(treeOf(this.pid))
  }

  get children(): number {
    return treeOf(this.pid).length - 1
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  /** SIGTERM first: a proxy that is killed outright may leave its children behind. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    const late = setTimeout(() => this.#child.kill('SIGKILL'), GRACE_MS)
    await ended
    clearTimeout(late)
  }
}

/** As in the image, where the bundle has been compiled once before. */
export function compileOnce(task: Task): void {
  const [program, ...flags] = task.contender.argv as [string, ...string[]]
  spawnSync(program, [...flags, '--version'], { env: environment(task) })
}

function environment({ contender, path }: Task): NodeJS.ProcessEnv {
  return { ...process.env, ...contender.env, PATH: path }
}
