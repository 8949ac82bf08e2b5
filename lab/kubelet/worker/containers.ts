import type { Pod } from '#lab/client/objects.ts'
import { restartDelay, STEADY_AFTER_MS } from '../pod/back-off.ts'
import { EnvironmentRefused } from '../pod/environment.ts'
import { hasEndedForGood } from '../pod/plan.ts'
import {
  type Container,
  type ContainerNow,
  type ContainerStands,
  containerIn,
  type PodStands,
  withContainer,
} from '../pod/stands.ts'
import { atStart, type ProberEvents, probeContainer } from '../probes/prober.ts'
import type { ContainerRun, RunEnd, Sandbox } from '../runtime/pod-runtime.ts'
import type { WorkerParts } from './worker-parts.ts'

// The containers of one pod: their runs, from start to end, written down in what stands of the pod.

/** What the containers share with their pod's worker. */
export interface ContainersPod {
  readonly pod: () => Pod
  readonly stands: () => PodStands
  readonly change: (stands: PodStands) => void
}

const CONFIG_RETRY_MS = 5000
type Running = Extract<ContainerNow, { readonly is: 'running' }>

export class Containers {
  readonly #parts: WorkerParts
  readonly #own: ContainersPod
  readonly #runs = new Map<string, { readonly now: ContainerRun; readonly previous?: ContainerRun }>()
  /** Aborts the probes of a container: all, or those of a pod that lives. */
  readonly #probing = new Map<string, { readonly all: AbortController; readonly living: AbortController }>()

  constructor(parts: WorkerParts, own: ContainersPod) {
    this.#parts = parts
    this.#own = own
  }

  run(name: string, which: 'now' | 'previous'): ContainerRun | undefined {
    return this.#runs.get(name)?.[which]
  }

  async start(container: Container, sandbox: Sandbox): Promise<void> {
    const { name } = container
    const before = containerIn(this.#own.stands(), container)
    const again = before.now.is === 'ended'
    try {
      const env = await this.#parts.environment(this.#own.pod(), container, sandbox.ips)
      const attempt = before.restarts + (again ? 1 : 0)
      const run = await this.#parts.runtime.start({ pod: this.#own.pod(), sandbox, container, env, attempt })
      const previous = this.#runs.get(name)?.now
      this.#runs.set(name, { now: run, ...(previous !== undefined && { previous }) })
      this.#change(name, { ...startedAfter(before), now: this.#running(container, run) })
      this.#parts.event(this.#own.pod(), { reason: 'Started', message: `Started container ${name}`, container: name })
      void run.ended.then(end => this.#ended(container, run, end))
      this.#probe(container, run, sandbox)
    } catch (error) {
      if (!(error instanceof EnvironmentRefused)) throw error
      const { message } = error
      this.#warn(name, 'Failed', `Error: ${message}`)
      const retryAt = this.#parts.clock.now() + CONFIG_RETRY_MS
      this.#change(name, { ...before, now: { is: 'refused', reason: 'CreateContainerConfigError', message, retryAt } })
    }
  }

  /** With its grace. */
  end(container: Container, why: 'Unhealthy' | 'PodEnds', graceMs: number): void {
    const { name } = container
    const state = containerIn(this.#own.stands(), container)
    const run = this.#runs.get(name)?.now
    if (state.now.is !== 'running' || run === undefined) return
    this.#probing.get(name)?.[why === 'PodEnds' ? 'living' : 'all'].abort()
    this.#change(name, { ...state, now: { ...state.now, ending: why, killAt: this.#parts.clock.now() + graceMs } })
    if (why === 'PodEnds') this.#event(name, 'Killing', `Stopping container ${name}`)
    const ended = new AbortController()
    void run.ended.then(() => ended.abort())
    void this.#beforeStop(container, run, ended.signal).then(() => {
      // The number of its process may be another's by now.
      if (!ended.signal.aborted) run.terminate()
    })
  }

  kill({ name }: Container): Promise<unknown> {
    const run = this.#runs.get(name)?.now
    this.#probing.get(name)?.all.abort()
    run?.kill()
    return run?.ended ?? Promise.resolve()
  }

  #running(container: Container, { id }: ContainerRun): Running {
    return { is: 'running', id, startedAt: this.#parts.clock.now(), ...atStart(container) }
  }

  #ended(container: Container, run: ContainerRun, { exitCode, signal, startError }: RunEnd): void {
    const { name } = container
    const state = containerIn(this.#own.stands(), container)
    if (state.now.is !== 'running' || state.now.id !== run.id) return
    this.#probing.get(name)?.all.abort()
    const finishedAt = this.#parts.clock.now()
    const end = {
      ...{ id: run.id, exitCode, startedAt: state.now.startedAt, finishedAt },
      reason: startError !== undefined ? 'StartError' : exitCode === 0 ? 'Completed' : 'Error',
      ...(signal !== undefined && { signal }),
      ...(startError !== undefined && { message: startError }),
    } as const
    const backOff = finishedAt - state.now.startedAt >= STEADY_AFTER_MS ? 0 : state.backOff
    this.#change(name, { ...state, backOff, now: { is: 'ended', end } })
    const pod = this.#own.pod()
    const comes = !hasEndedForGood(pod, this.#own.stands(), container) && pod.metadata.deletionTimestamp === undefined
    if (comes && restartDelay(backOff) > 0) {
      const whose = `${name} in pod ${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`
      this.#warn(name, 'BackOff', `Back-off restarting failed container ${whose}`)
    }
  }

  #probe(container: Container, run: ContainerRun, { ips: [ip = ''] }: Sandbox): void {
    const { name } = container
    const [all, living] = [new AbortController(), new AbortController()]
    this.#probing.set(name, { all, living })
    const change = (update: Partial<Running>): void => {
      const state = containerIn(this.#own.stands(), container)
      if (state.now.is === 'running' && state.now.id === run.id && !all.signal.aborted)
        this.#change(name, { ...state, now: { ...state.now, ...update } })
    }
    const on: ProberEvents = {
      started: () => change({ isStarted: true }),
      ready: isReady => change({ isReady: isReady === 'ready' }),
      failed: (kind, why) => this.#warn(name, 'Unhealthy', `${kind} probe failed: ${why}`),
      dead: kind => {
        this.#event(name, 'Killing', `Container ${name} failed ${kind} probe, will be restarted`)
        const { terminationGracePeriodSeconds: own } = container[`${kind}Probe`]!
        const seconds = own ?? this.#own.pod().spec?.terminationGracePeriodSeconds ?? USUAL_GRACE_SECONDS
        this.end(container, 'Unhealthy', seconds * 1000)
      },
    }
    const { clock, nodeNetns: netns, carryOut } = this.#parts
    const signals = { signal: all.signal, living: living.signal }
    void probeContainer({ container, run, ip, netns, clock, ...signals, on, carryOut })
  }

  async #beforeStop(container: Container, run: ContainerRun, ended: AbortSignal): Promise<void> {
    const hook = container.lifecycle?.preStop
    if (hook === undefined) return
    const { clock, nodeNetns: netns, carryOut } = this.#parts
    if (hook.sleep) return clock.sleep(hook.sleep.seconds * 1000, ended)
    const ip = this.#own.pod().status?.podIP ?? ''
    const why = await carryOut(hook, { container, run, ip, netns, signal: ended })
    if (why !== undefined && !ended.aborted) this.#warn(container.name, 'FailedPreStopHook', why)
  }

  #change(name: string, container: ContainerStands): void {
    this.#own.change(withContainer(this.#own.stands(), name, container))
  }

  #event(container: string, reason: string, message: string): void {
    this.#parts.event(this.#own.pod(), { reason, message, container })
  }

  #warn(container: string, reason: string, message: string): void {
    this.#parts.event(this.#own.pod(), { type: 'Warning', reason, message, container })
  }
}

export const USUAL_GRACE_SECONDS = 30

function startedAfter({ now, restarts, backOff, last }: ContainerStands): Omit<ContainerStands, 'now'> {
  if (now.is !== 'ended') return { restarts, backOff, ...(last !== undefined && { last }) }
  return { restarts: restarts + 1, backOff: backOff + 1, last: now.end }
}
