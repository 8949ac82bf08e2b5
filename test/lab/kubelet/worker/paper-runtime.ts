import { PassThrough, Readable } from 'node:stream'
import type { Pod } from '#lab/client/objects.ts'
import {
  type ContainerRun,
  type ContainerStart,
  type PodRuntime,
  type RunEnd,
  type Sandbox,
  SandboxRefused,
} from '#lab/kubelet/runtime/pod-runtime.ts'

// A runtime without a machine: a test ends its containers, and reads what was asked of it.

export interface PaperRun extends ContainerRun {
  readonly container: string
  readonly env: Readonly<Record<string, string>>
  end(end: RunEnd): void
}

export class PaperRuntime implements PodRuntime {
  readonly version = 'paper://1'
  /** `make web`, `start main`, `SIGTERM main` … in the order they came. */
  readonly asked: string[] = []
  readonly runs: PaperRun[] = []
  /** Why the next sandboxes are refused, one each. */
  readonly refusals: string[] = []

  networkProblem(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  async makeSandbox({ metadata }: Pod): Promise<Sandbox> {
    this.asked.push(`make ${metadata.name}`)
    const why = this.refusals.shift()
    if (why !== undefined) throw new SandboxRefused(why)
    const { uid = '', namespace = '', name = '' } = metadata
    return { id: `sandbox-of-${uid}`, uid, namespace, name, ips: ['10.244.1.2'] }
  }

  standing(): Promise<readonly Sandbox[]> {
    return Promise.resolve([])
  }

  async start({ container: { name }, env, attempt }: ContainerStart): Promise<PaperRun> {
    const { promise: ended, resolve: end } = Promise.withResolvers<RunEnd>()
    this.asked.push(`start ${name}`)
    const run: PaperRun = {
      ...{ id: `paper://${name}-${attempt}`, container: name, env, ended, end },
      terminate: () => void this.asked.push(`SIGTERM ${name}`),
      kill: () => {
        this.asked.push(`SIGKILL ${name}`)
        end({ exitCode: 137, signal: 9 })
      },
      log: () => Readable.from([`${name} ${attempt}\n`]),
      exec: () => ({
        ...{ stdin: new PassThrough(), stdout: Readable.from([]), stderr: Readable.from([]) },
        ...{ exit: Promise.resolve(0), resize: () => {}, kill: () => {} },
      }),
    }
    this.runs.push(run)
    return run
  }

  async removeSandbox({ name }: Sandbox): Promise<void> {
    this.asked.push(`remove ${name}`)
  }

  async close(): Promise<void> {}

  /** Of the runs of a container, the last one. */
  last(container: string): PaperRun {
    return this.runs.findLast(run => run.container === container)!
  }

  /** What was asked since the last call. */
  asks(): readonly string[] {
    return this.asked.splice(0)
  }
}
