import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { anyCommand } from '#lab/any-command.ts'
import type { NodePlace } from '#lab/kubelet/node-place.ts'
import type { Kernel } from '#system/ports.ts'
import { type Child, startChild } from '#system/processes/children.ts'
import type { NodeFolders } from './folders.ts'
import type { NodeWorld } from './world.ts'

// A node of the cluster: its world, and the two programs in it as the image starts them.

export interface ClusterNodeParts {
  readonly number: number
  readonly name: string
  readonly namespace: string
  readonly ip4: string
  readonly ip6?: string
  readonly kernel: Kernel
  readonly world: NodeWorld
  readonly folders: NodeFolders
  /** The bundle. */
  readonly dist: string
}

/** `run` is the agent of the proxy, `pods` the daemon of the pod network. */
export type NodeProgram = 'run' | 'pods'

/** What the image sets, see manifests/Dockerfile. */
const IMAGE_ENV = ['NODE_OPTIONS=--max-semi-space-size=4', 'MALLOC_ARENA_MAX=2']
/** A program of a node ends with the lab, also where that is killed. */
const WITH_US = ['setpriv', '--pdeathsig', 'KILL']
const APPENDING = 'exec "$@" >>"$0" 2>&1'

export class ClusterNode implements NodePlace {
  readonly number: number
  readonly name: string
  readonly namespace: string
  readonly ip4: string
  readonly ip6?: string
  readonly kernel: Kernel
  readonly folders: NodeFolders
  readonly #world: NodeWorld
  readonly #dist: string
  readonly #programs = new Map<NodeProgram, Child>()

  constructor({ number, name, namespace, ip4, ip6, kernel, world, folders, dist }: ClusterNodeParts) {
    this.number = number
    this.name = name
    this.namespace = namespace
    this.ip4 = ip4
    if (ip6 !== undefined) this.ip6 = ip6
    this.folders = folders
    this.#world = world
    this.#dist = dist
    this.kernel = world.kernelOf(kernel)
  }

  get folder(): string {
    return this.folders.root
  }

  /** Of the process that holds the node open. */
  get pid(): number {
    return this.#world.pid
  }

  /** The number of the process, while it runs. */
  pidOf(program: NodeProgram): number | undefined {
    return this.#programs.get(program)?.pid
  }

  logOf(program: NodeProgram): string {
    return program === 'run' ? this.folders.agentLog : this.folders.daemonLog
  }

  /** Empty where it has not begun to write. */
  logLines(program: NodeProgram): readonly string[] {
    try {
      return readFileSync(this.logOf(program), 'utf8').split('\n').slice(0, -1)
    } catch {
      return []
    }
  }

  /** The words of a command that starts a verb of Switchyard on this node. */
  switchyard(...words: readonly string[]): readonly [string, ...string[]] {
    return ['env', ...IMAGE_ENV, this.#cacheEnv(), process.execPath, join(this.#dist, 'switchyard.js'), ...words]
  }

  /** What takes more of root's rights than running does, as the init container of the image. Fails with what the program says. */
  async prepare(flags: readonly string[]): Promise<void> {
    const outcome = await this.kernel.run(anyCommand(this.switchyard('run', '--init-only', ...flags)))
    if (outcome.code === 0) return
    const [, why = outcome.stderr.trim()] = /"command failed" err="(.*)"$/m.exec(outcome.stderr) ?? []
    throw new Error(why.replaceAll('\\"', '"'))
  }

  start(program: NodeProgram, flags: readonly string[]): Child {
    const words = ['sh', '-c', APPENDING, this.logOf(program), ...this.switchyard(program, ...flags)] as const
    const child = startChild({
      argv: this.#world.within([WITH_US[0]!, ...WITH_US.slice(1), ...words]),
      onLine: () => {},
    })
    this.#programs.set(program, child)
    void child.ended.then(() => {
      if (this.#programs.get(program) === child) this.#programs.delete(program)
    })
    return child
  }

  async stop(program: NodeProgram): Promise<void> {
    await this.#programs.get(program)?.stop(6000)
  }

  /** As a machine loses power: nothing of it ends in order. */
  async die(): Promise<void> {
    await Promise.all([...this.#programs.values()].map(child => child.stop(0)))
    await this.#world.close()
  }

  async close(): Promise<void> {
    await Promise.all([...this.#programs.keys()].map(program => this.stop(program)))
    await this.#world.close()
  }

  #cacheEnv(): string {
    return `NODE_COMPILE_CACHE=${join(this.#dist, 'compiled')}`
  }
}
