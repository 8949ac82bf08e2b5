import type { Pod } from '#lab/client/objects.ts'
import { sandboxDelay } from '../pod/back-off.ts'
import { type Action, planOf } from '../pod/plan.ts'
import {
  allContainers,
  type Container,
  containerIn,
  type PodStands,
  type PodStatus,
  withContainer,
} from '../pod/stands.ts'
import { podStatus } from '../pod/status.ts'
import { type ContainerRun, type Sandbox, SandboxRefused } from '../runtime/pod-runtime.ts'
import { Containers, USUAL_GRACE_SECONDS } from './containers.ts'
import type { WorkerParts } from './worker-parts.ts'

// One pod of this node, from its first sandbox until nothing of it stands: plans, does what the plan says, and waits.

export interface Found {
  readonly stands: PodStands
  /** From before, by another kubelet. */
  readonly sandbox?: Sandbox
}

/** After work that failed in a way that no plan knows. */
const TROUBLE_MS = 1000

export class PodWorker {
  readonly #parts: WorkerParts
  readonly #containers: Containers
  #pod: Pod
  #stands: PodStands
  #sandbox: Sandbox | undefined
  #reported: PodStatus | undefined
  #isSilent = false
  #happened = false
  #wake: () => void = () => {}
  /** Resolves when nothing of the pod stands any more. */
  readonly done: Promise<void>

  constructor(pod: Pod, { stands, sandbox }: Found, parts: WorkerParts) {
    this.#parts = parts
    this.#pod = pod
    this.#stands = stands
    this.#sandbox = sandbox
    this.#containers = new Containers(parts, {
      pod: () => this.#pod,
      stands: () => this.#stands,
      change: next => this.#change(next),
    })
    this.done = this.#work()
  }

  get pod(): Pod {
    return this.#pod
  }

  update(pod: Pod): void {
    const before = this.#pod
    this.#pod = pod
    const { deletionGracePeriodSeconds: grace, deletionTimestamp } = pod.metadata
    // Of a pod that lives, nothing that matters here can change.
    if (deletionTimestamp === undefined) return
    // Of a container that a probe has found dead, the grace may have been longer.
    const { deletionGracePeriodSeconds: graceBefore = Number.POSITIVE_INFINITY } = before.metadata
    if (grace !== undefined && grace < graceBefore) this.#shortenGrace(grace)
    this.#poke()
  }

  /** The API has forgotten it: it ends at once. */
  gone(): void {
    this.#change({ ...this.#stands, isGone: true })
  }

  /** It ends at once, and the API hears nothing of it. */
  close(): Promise<void> {
    this.#isSilent = true
    this.gone()
    return this.done
  }

  isRunning(container: string): boolean {
    return this.#stands.containers[container]?.now.is === 'running'
  }

  run(container: string, which: 'now' | 'previous'): ContainerRun | undefined {
    return this.#containers.run(container, which)
  }

  async #work(): Promise<void> {
    this.#report()
    for (;;) {
      this.#happened = false
      const { actions, wakeAt } = planOf(this.#pod, this.#stands, this.#parts.clock.now())
      if (actions.length === 0) {
        this.#report()
        await this.#wait(wakeAt)
      } else if (actions[0]!.do === 'finish') {
        if (await this.#finished()) return
      } else {
        await this.#carryOut(actions)
      }
    }
  }

  async #carryOut(actions: readonly Action[]): Promise<void> {
    try {
      const ends = await Promise.allSettled(actions.map(action => this.#do(action)))
      // Only when all have settled: what is still under way would be begun once more.
      for (const end of ends) if (end.status === 'rejected') throw end.reason
    } catch (error) {
      // A node that goes may have lost its daemon already; its addresses are given back with the node.
      if (this.#isSilent) return this.#change({ ...this.#stands, sandbox: { is: 'removed', ips: [] } })
      const message = (error as Error).message
      this.#parts.event(this.#pod, { type: 'Warning', reason: 'FailedSync', message })
      await this.#parts.clock.sleep(TROUBLE_MS)
    }
  }

  #do(action: Action): Promise<unknown> {
    switch (action.do) {
      case 'make sandbox':
        return this.#makeSandbox()
      case 'start':
        return this.#containers.start(action.container, this.#sandbox!)
      case 'end':
        return Promise.resolve(this.#containers.end(action.container, action.why, this.#graceMs()))
      case 'kill':
        return this.#containers.kill(action.container)
      case 'remove sandbox':
        return this.#removeSandbox()
      case 'finish':
        return Promise.resolve()
    }
  }

  async #makeSandbox(): Promise<void> {
    const { clock, runtime, inTurn } = this.#parts
    try {
      const sandbox = await inTurn(() => runtime.makeSandbox(this.#pod))
      this.#sandbox = sandbox
      this.#change({ ...this.#stands, sandbox: { is: 'up', ips: sandbox.ips, since: clock.now() } })
    } catch (error) {
      if (!(error instanceof SandboxRefused)) throw error
      const { sandbox } = this.#stands
      const tries = sandbox.is === 'refused' ? sandbox.tries + 1 : 1
      const message = `Failed to create pod sandbox: ${error.message}`
      this.#parts.event(this.#pod, { type: 'Warning', reason: 'FailedCreatePodSandBox', message })
      const retryAt = clock.now() + sandboxDelay(tries)
      this.#change({ ...this.#stands, sandbox: { is: 'refused', message: error.message, tries, retryAt } })
    }
  }

  async #removeSandbox(): Promise<void> {
    const { ips } = this.#sandbox!
    await this.#parts.inTurn(() => this.#parts.runtime.removeSandbox(this.#sandbox!))
    this.#change({ ...this.#stands, sandbox: { is: 'removed', ips } })
  }

  /** False where the API did not answer: then once more, a little later. */
  async #finished(): Promise<boolean> {
    if (this.#isSilent || this.#stands.isGone) return true
    try {
      await this.#parts.finish(this.#pod)
      return true
    } catch {
      await this.#parts.clock.sleep(TROUBLE_MS)
      return false
    }
  }

  #graceMs(): number {
    const { metadata, spec } = this.#pod
    const ofPod = spec?.terminationGracePeriodSeconds ?? USUAL_GRACE_SECONDS
    return (metadata.deletionGracePeriodSeconds ?? ofPod) * 1000
  }

  #shortenGrace(seconds: number): void {
    const latest = this.#parts.clock.now() + seconds * 1000
    const shortened = (stands: PodStands, container: Container): PodStands => {
      const state = containerIn(stands, container)
      if (state.now.is !== 'running' || state.now.killAt === undefined) return stands
      const killAt = Math.min(state.now.killAt, latest)
      return withContainer(stands, container.name, { ...state, now: { ...state.now, killAt } })
    }
    this.#change(allContainers(this.#pod).reduce(shortened, this.#stands))
  }

  /** Conditions keep the times that were reported, which may not have come back from the API as yet. */
  #report(): void {
    const { clock, hostIPs, report } = this.#parts
    if (this.#isSilent || this.#stands.isGone) return
    const seen = this.#reported === undefined ? this.#pod : { ...this.#pod, status: this.#merged(this.#reported) }
    this.#reported = podStatus(seen, this.#stands, { hostIPs, now: clock.now() })
    report(this.#pod, this.#reported)
  }

  /** What other programs have added to the conditions meanwhile stays. */
  #merged(own: PodStatus): PodStatus {
    const known = new Set(own.conditions?.map(({ type }) => type))
    const others = (this.#pod.status?.conditions ?? []).filter(({ type }) => !known.has(type))
    return { ...this.#pod.status, ...own, conditions: [...(own.conditions ?? []), ...others] }
  }

  #change(stands: PodStands): void {
    this.#stands = stands
    this.#poke()
  }

  #poke(): void {
    this.#happened = true
    this.#wake()
  }

  async #wait(until: number | undefined): Promise<void> {
    if (this.#happened) return
    const over = new AbortController()
    const woken = new Promise<void>(resolve => {
      this.#wake = resolve
    })
    const { clock } = this.#parts
    const passed = until === undefined ? woken : clock.sleep(until - clock.now(), over.signal)
    await Promise.race([woken, passed])
    over.abort()
  }
}
