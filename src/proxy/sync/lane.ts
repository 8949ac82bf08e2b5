import type { Cluster } from '#proxy/cluster/cluster.ts'
import type { Owed } from '#proxy/desired/flows.ts'
import type { Mode } from '#proxy/modes/mode.ts'
import type { Clock, Command, Follow, Kernel, Outcome } from '#system/ports.ts'
import type { Family } from '#values/address.ts'
import type { ObjectName } from '#values/names.ts'
import { Draft, type Drawn, type NodeReader } from './draft.ts'
import { forget } from './forget.ts'
import { type Limits, Pace } from './pace.ts'
import type { Report } from './report.ts'
import { Sync } from './sync.ts'
import { Watchtower } from './watchtower.ts'

// One IP family in one mode: a Cluster in, a kernel that follows it, a report of each sync out.

export interface LaneParts {
  readonly family: Family
  readonly cluster: Cluster
  readonly mode: Mode
  readonly kernel: Kernel
  /** Starts a program that tells of changes in the kernel; without it, the kernel is looked at more often. */
  readonly follow?: Follow
  /** Nobody need be told of changes earlier: to begin with, such a program looks at everything there is. */
  readonly mayFollow?: Promise<void>
  readonly clock: Clock
  readonly limits: Limits
  readonly nodeReader: NodeReader
  readonly tell: (report: Report) => void
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

/** Up to so many Services are drawn in one go. */
const MANY = 100
/** Some milliseconds of work. */
const STEP = 25

/** The kernel's serviceChanges of our own changes comes a moment after them. */
const LATE_NEWS_MS = 300
const DRIFT_SHOWN = 10
/** So many alarms a minute are answered at once; more mean that somebody keeps at it, and each then waits longer. */
const PROMPT_ALARMS = 10
const RESTLESS_MS = 60_000
const FIRST_ALARM_WAIT_MS = 500

export class Lane {
  readonly family: Family
  readonly draft: Draft
  readonly #parts: LaneParts
  readonly #sync: Sync
  readonly #pace: Pace
  readonly #tower: Watchtower | undefined
  #owed: Owed = new Map()
  /** Until when serviceChanges of changes may be serviceChanges of our own. */
  #busyUntil = 0
  #alarms: readonly number[] = []
  #glance: Promise<void> | undefined
  /** Somebody has looked at the kernel, and all was as believed: the next run tells of it. */
  #confirmed = false

  constructor(parts: LaneParts) {
    this.family = parts.family
    this.draft = new Draft(parts.cluster, parts.mode, parts.nodeReader)
    this.#parts = parts
    this.#sync = new Sync(parts.mode, { run: command => this.#carryOut(command) }, parts.clock)
    this.#pace = new Pace(parts.clock, parts.limits)
    this.#tower = this.#watchtower()
  }

  /** These Services may have changed, or the node: the next run will look at them. */
  touch(services: Iterable<ObjectName>): void {
    this.draft.touch(services)
    // Before that there is nothing to run for, however much arrives.
    if (this.#parts.cluster.complete) this.#pace.request()
  }

  /** Somebody else may have touched the kernel. */
  distrust(): void {
    this.#sync.forget()
    this.#pace.request()
  }

  /** Runs until the signal aborts; a command that has been started is always finished. */
  async run(signal: AbortSignal): Promise<void> {
    let watching: Promise<void> | undefined
    while (!signal.aborted) {
      const reason = await this.#pace.due(signal, this.#tower?.isListening ? 'watched' : 'unwatched')
      if (signal.aborted) break
      if (!this.#parts.cluster.complete) continue
      if (reason === 'distrust') this.#lookBeside()
      const report = await this.once()
      this.#parts.tell(report)
      // Not before the first rules stand: to be told of all of them would cost as much as to write them.
      if (report.failure === undefined) watching ??= this.#watch(signal)
    }
    await Promise.all([watching, this.#glance])
  }

  /** Nobody has to wait for the kernel to be read, who only wants a change written. */
  #lookBeside(): void {
    this.#pace.looked()
    this.#glance ??= this.#glanced()
  }

  async #glanced(): Promise<void> {
    // What went wrong is told by the run that looks itself.
    const differs = await this.#sync.differs().catch(() => true)
    this.#glance = undefined
    if (differs) this.#sync.forget()
    else this.#confirmed = true
    this.#pace.request()
  }

  async #watch(signal: AbortSignal): Promise<void> {
    await this.#parts.mayFollow
    await this.#tower?.run(signal)
  }

  async once(): Promise<Report> {
    const { mode, clock, family } = this.#parts
    const startedAt = clock.now()
    if (startedAt >= this.#busyUntil) this.#tower?.settle()
    this.#busyUntil = Number.POSITIVE_INFINITY
    const { serviceChanges, owed } = await this.#draw()
    this.#owed = new Map([...this.#owed, ...owed])
    const about = { mode: mode.name, family, startedAt, serviceChanges }
    const drawnAt = clock.now()
    try {
      const confirmed = this.#confirmed
      this.#confirmed = false
      const { plan, drift, blocked, commands, bytes, stages, ...done } = await this.#sync.run(this.draft.book)
      this.#pace.succeeded()
      if (done.looked) this.#pace.looked()
      const looked = done.looked || confirmed
      // While rules were gone, connections went past every Service, and would go on doing so.
      if (drift.length > 0) this.#owed = new Map([...this.draft.owed, ...this.#owed])
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
      this.#busyUntil = clock.now() + LATE_NEWS_MS
    }
  }

  /** A great many Services are drawn step by step, so that whoever else has something to do gets a turn: health checks, for one. */
  async #draw(): Promise<Drawn> {
    while (this.draft.waiting > MANY && this.draft.advance(STEP) === 'more') {
      await this.#parts.clock.sleep(0)
    }
    return this.draft.update()
  }

  /** Only after the rules stand: a connection forgotten earlier would come back along the old ones. */
  async #forget(): Promise<Report['flows']> {
    const owed = this.#owed
    if (owed.size === 0) return NO_FLOWS
    this.#owed = new Map()
    try {
      const { kernel, mode } = this.#parts
      const nodeAddresses = this.draft.nodeFacts?.addresses ?? []
      const answererOf = await mode.proxyPorts?.read(kernel)
      const about = { owed, family: this.family, nodeAddresses, ...(answererOf !== undefined && { answererOf }) }
      return { forgotten: await forget(kernel, about) }
    } catch (error) {
      this.#owed = new Map([...owed, ...this.#owed])
      this.#pace.requestIn(this.#parts.limits.retryMs)
      return { forgotten: 0, error }
    }
  }

  #carryOut(command: Command): Promise<Outcome> {
    this.#tower?.expect(command)
    return this.#parts.kernel.run(command)
  }

  #watchtower(): Watchtower | undefined {
    const { mode, follow, clock } = this.#parts
    if (mode.alarm === undefined || follow === undefined) return undefined
    const busy = (): boolean => clock.now() < this.#busyUntil
    const missed = (): void => this.#lookBeside()
    return new Watchtower({ alarm: mode.alarm, follow, clock, busy, missed, ring: () => this.#ring() })
  }

  /** Looks at once; but two who both think the rules are theirs must not keep each other busy for ever. */
  #ring(): void {
    const now = this.#parts.clock.now()
    this.#alarms = [...this.#alarms.filter(at => now - at < RESTLESS_MS), now]
    const tooMany = this.#alarms.length - PROMPT_ALARMS
    this.#sync.forget()
    this.#pace.requestIn(tooMany <= 0 ? 0 : Math.min(FIRST_ALARM_WAIT_MS * 2 ** tooMany, this.#parts.limits.retryMs))
  }
}
