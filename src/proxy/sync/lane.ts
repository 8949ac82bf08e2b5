import type { Cluster } from '#proxy/cluster/cluster.ts'
import type { PendingFlows } from '#proxy/desired/flows.ts'
import type { Mode } from '#proxy/modes/mode.ts'
import type { Clock, Command, Follow, Kernel, Outcome } from '#system/ports.ts'
import type { Family } from '#values/address.ts'
import type { ObjectName } from '#values/names.ts'
import { Draft, type DraftUpdate, type NodeReader } from './draft.ts'
import { forget } from './forget.ts'
import { KernelWatch } from './kernel-watch.ts'
import { Pace, type PaceLimits } from './pace.ts'
import type { Report } from './report.ts'
import { Sync } from './sync.ts'

// One IP family in one mode: a Cluster in, a kernel that follows it, a report of each sync out.

export interface LaneParts {
  readonly family: Family
  readonly cluster: Cluster
  readonly mode: Mode
  readonly kernel: Kernel
  /** Starts a program that reports changes in the kernel; without one, the lane reads the kernel every sync period. */
  readonly follow?: Follow
  /** Resolves once such a program may start: it begins with reading all rules, which slows down lanes that write. */
  readonly mayFollow?: Promise<void>
  readonly clock: Clock
  readonly limits: PaceLimits
  readonly nodeReader: NodeReader
  readonly onReport: (report: Report) => void
}

const NO_FLOWS: Report['flows'] = { forgotten: 0 }
const NOTHING_DONE: Pick<Report, 'looked' | 'commands' | 'bytes' | 'units' | 'flows' | 'stages' | 'drift'> = {
  drift: { count: 0, units: [] },
  stages: { draw: 0, read: 0, plan: 0, write: 0, forget: 0 },
  looked: true,
  commands: 0,
  bytes: 0,
  units: { added: 0, changed: 0, removed: 0 },
  flows: NO_FLOWS,
}

/** Up to this many Services are drawn in one go. */
const MANY = 100
/** Services in a step: some milliseconds of work. */
const STEP = 25

/** The kernel reports a change up to this long after the command that made it has ended. */
const LATE_REPORT_MS = 300
const DRIFT_SHOWN = 10
/** This many alarms a minute are answered at once; more show a program that keeps at it, and each then waits longer. */
const PROMPT_ALARMS = 10
const RESTLESS_MS = 60_000
const FIRST_ALARM_WAIT_MS = 500

export class Lane {
  readonly family: Family
  readonly draft: Draft
  readonly #parts: LaneParts
  readonly #sync: Sync
  readonly #pace: Pace
  readonly #kernelWatch: KernelWatch | undefined
  #pendingFlows: PendingFlows = new Map()
  /** Until then, a change that is reported may be one of our own. */
  #busyUntil = 0
  #alarms: readonly number[] = []
  #auditing: Promise<void> | undefined
  /** The background audit found no drift; the next report says so. */
  #confirmed = false

  constructor(parts: LaneParts) {
    this.family = parts.family
    this.draft = new Draft(parts.cluster, parts.mode, parts.nodeReader)
    this.#parts = parts
    this.#sync = new Sync(parts.mode, { run: command => this.#carryOut(command) }, parts.clock)
    this.#pace = new Pace(parts.clock, parts.limits)
    this.#kernelWatch = this.#newKernelWatch()
  }

  /** These Services may have changed, or the node: the next run resolves them. */
  touch(services: Iterable<ObjectName>): void {
    this.draft.touch(services)
    // Until the cluster is complete there is nothing to write, however much arrives.
    if (this.#parts.cluster.complete) this.#pace.request()
  }

  /** Another program may have changed our rules: the next run reads the kernel. */
  distrust(): void {
    this.#sync.forget()
    this.#pace.request()
  }

  /** Runs until the signal aborts; a command that has been started is always finished. */
  async run(signal: AbortSignal): Promise<void> {
    let watching: Promise<void> | undefined
    while (!signal.aborted) {
      const reason = await this.#pace.due(signal, this.#kernelWatch?.isListening ? 'watched' : 'unwatched')
      if (signal.aborted) break
      if (!this.#parts.cluster.complete) continue
      if (reason === 'distrust') this.#audit()
      const report = await this.once()
      this.#parts.onReport(report)
      // Not before the first rules stand: reports of all of them would cost as much as writing them.
      if (report.failure === undefined) watching ??= this.#watch(signal)
    }
    await Promise.all([watching, this.#auditing])
  }

  /** Compares belief with the kernel in the background: reading may take a minute, and changes must not wait for it. */
  #audit(): void {
    this.#pace.kernelRead()
    this.#auditing ??= this.#runAudit()
  }

  async #runAudit(): Promise<void> {
    // Where the audit fails, the next run reads the kernel itself and reports the error.
    const differs = await this.#sync.differs().catch(() => true)
    this.#auditing = undefined
    if (differs) this.#sync.forget()
    else this.#confirmed = true
    this.#pace.request()
  }

  async #watch(signal: AbortSignal): Promise<void> {
    await this.#parts.mayFollow
    await this.#kernelWatch?.run(signal)
  }

  async once(): Promise<Report> {
    const { mode, clock, family } = this.#parts
    const startedAt = clock.now()
    if (startedAt >= this.#busyUntil) this.#kernelWatch?.forgetExpected()
    this.#busyUntil = Number.POSITIVE_INFINITY
    const { serviceChanges, pendingFlows } = await this.#draw()
    this.#pendingFlows = new Map([...this.#pendingFlows, ...pendingFlows])
    const about = { mode: mode.name, family, startedAt, serviceChanges }
    const drawnAt = clock.now()
    try {
      const confirmed = this.#confirmed
      this.#confirmed = false
      const { plan, drift, blocked, commands, bytes, stages, ...done } = await this.#sync.run(this.draft.book)
      this.#pace.succeeded()
      if (done.looked) this.#pace.kernelRead()
      const looked = done.looked || confirmed
      // While rules were missing, connections passed without DNAT, and conntrack would let them go on.
      if (drift.length > 0) this.#pendingFlows = new Map([...this.draft.bypassedFlows, ...this.#pendingFlows])
      const writtenAt = clock.now()
      const flows = await this.#forget()
      const endedAt = clock.now()
      const took = {
        tookMs: endedAt - startedAt,
        stages: { draw: drawnAt - startedAt, ...stages, forget: endedAt - writtenAt },
      }
      const units = { added: plan.add.size, changed: plan.change.size, removed: plan.remove.size }
      const drifted = { count: drift.length, units: drift.slice(0, DRIFT_SHOWN) }
      return { ...about, ...took, looked, commands, bytes, units, flows, drift: drifted, blocked }
    } catch (error) {
      const failure = { error, retryMs: this.#pace.failed() }
      return { ...about, ...NOTHING_DONE, tookMs: clock.now() - startedAt, failure }
    } finally {
      this.#busyUntil = clock.now() + LATE_REPORT_MS
    }
  }

  /** Very many Services are drawn in steps: between two of them the process answers health checks. */
  async #draw(): Promise<DraftUpdate> {
    while (this.draft.waiting > MANY && this.draft.advance(STEP) === 'more') {
      await this.#parts.clock.sleep(0)
    }
    return this.draft.update()
  }

  /** After the rules stand: an entry deleted earlier would be made anew by the old ones. */
  async #forget(): Promise<Report['flows']> {
    const pending = this.#pendingFlows
    if (pending.size === 0) return NO_FLOWS
    this.#pendingFlows = new Map()
    try {
      const { kernel, mode } = this.#parts
      const nodeAddresses = this.draft.nodeFacts?.addresses ?? []
      const listenerOf = await mode.proxyPorts?.read(kernel)
      const options = { pending, family: this.family, nodeAddresses, ...(listenerOf !== undefined && { listenerOf }) }
      return { forgotten: await forget(kernel, options) }
    } catch (error) {
      this.#pendingFlows = new Map([...pending, ...this.#pendingFlows])
      this.#pace.requestIn(this.#parts.limits.retryMs)
      return { forgotten: 0, error }
    }
  }

  #carryOut(command: Command): Promise<Outcome> {
    this.#kernelWatch?.expect(command)
    return this.#parts.kernel.run(command)
  }

  #newKernelWatch(): KernelWatch | undefined {
    const { mode, follow, clock } = this.#parts
    if (mode.alarm === undefined || follow === undefined) return undefined
    const isBusy = (): boolean => clock.now() < this.#busyUntil
    const onForeignChange = (): void => this.#repair()
    const onGap = (): void => this.#audit()
    return new KernelWatch({ alarm: mode.alarm, follow, clock, isBusy, onForeignChange, onGap })
  }

  /** Reads the kernel at once; but two programs that claim the same rules must not keep each other busy for ever. */
  #repair(): void {
    const now = this.#parts.clock.now()
    this.#alarms = [...this.#alarms.filter(at => now - at < RESTLESS_MS), now]
    const tooMany = this.#alarms.length - PROMPT_ALARMS
    this.#sync.forget()
    this.#pace.requestIn(tooMany <= 0 ? 0 : Math.min(FIRST_ALARM_WAIT_MS * 2 ** tooMany, this.#parts.limits.retryMs))
  }
}
