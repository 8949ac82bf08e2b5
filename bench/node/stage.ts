import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import { NODE } from '#lab/network/topology.ts'
import { systemClock } from '#system/clock.ts'
import { benchNode, crowd, probeService, probeSlice } from '../cluster.ts'
import { ContenderProcess, compileOnce } from './agent/contender-process.ts'
import { MemoryWatch } from './agent/memory-watch.ts'
import { reached } from './client/probe.ts'
import { SteadyClient } from './client/steady-client.ts'
import { dayTime } from './day-time.ts'
import type { Backend, Task } from './task.ts'

// What the steps of a bench act on: an API server with the cluster in it, the contender, and a client.

/** How long anything may take that a cluster of the largest size takes minutes for. */
export const GIVE_UP_MS = 240_000

/** Both proxies gather changes for a second by default; one change must not wait for the last. */
const QUIET_MS = 1300

export class Stage {
  readonly task: Task
  readonly memory = new MemoryWatch()
  readonly client: SteadyClient
  readonly #api: ApiServer
  #process: ContenderProcess | undefined
  #backend: Backend

  private constructor(task: Task, api: ApiServer) {
    this.task = task
    this.#api = api
    this.client = new SteadyClient(task.clientNamespace)
    this.#backend = task.backends[0]
    const probed = [probeService(), probeSlice([this.#backend.ip])]
    for (const object of [benchNode(NODE.ip4), ...crowd(task), ...probed]) api.store.put(object)
  }

  static async open(task: Task): Promise<Stage> {
    const stage = new Stage(task, await startApiServer())
    compileOnce(task)
    return stage
  }

  get process(): ContenderProcess {
    if (this.#process === undefined) throw new Error('the contender has not been started')
    return this.#process
  }

  /** The endpoint of the probed Service, where it has one. */
  get backend(): Backend {
    return this.#backend
  }

  start(environment: Readonly<Record<string, string>> = {}): ContenderProcess {
    this.#process = new ContenderProcess(this.task, this.#api.url, environment)
    this.memory.follow(this.#process.pid)
    return this.#process
  }

  async stop(): Promise<void> {
    await this.#process?.end()
    this.#process = undefined
  }

  /** A new process looks at all rules: what the last left broken is mended so. */
  async mend(): Promise<void> {
    await this.stop()
    this.start()
    await reached(this.#backend.name, GIVE_UP_MS)
    await this.quiet()
  }

  /** The probed Service has this endpoint alone, or none. Returns when that was. */
  serve(backend: Backend | undefined): number {
    if (backend !== undefined) this.#backend = backend
    this.#api.store.put(probeSlice(backend === undefined ? [] : [backend.ip]))
    return dayTime()
  }

  /** The other of the two is its endpoint from now on. */
  swap(): { readonly to: Backend; readonly at: number } {
    const to = this.task.backends.find(({ name }) => name !== this.#backend.name)!
    return { to, at: this.serve(to) }
  }

  quiet(): Promise<void> {
    return systemClock.sleep(QUIET_MS)
  }

  async close(): Promise<void> {
    await this.stop()
    await this.client.close()
    await this.memory.close()
    await this.#api.close()
  }
}
