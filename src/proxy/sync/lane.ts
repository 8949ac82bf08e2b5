import type { Cluster } from '#proxy/cluster/cluster.ts'
import type { PendingFlows } from '#proxy/desired/flows.ts'
import type { Mode } from '#proxy/modes/mode.ts'
import { textOf } from '#proxy/modes/unit.ts'
import type { Clock, FlowTable, Kernel, RulesetWatch } from '#system/ports.ts'
import type { Family } from '#values/address.ts'
import type { ObjectName } from '#values/names.ts'
import { Audits } from './audits.ts'
import { Fingerprints } from './belief/fingerprints.ts'
import { Keeper, type KeeperOptions } from './belief/keeper.ts'
import { KernelWatch, type Suspects } from './commits/kernel-watch.ts'
import { unitsOf } from './done.ts'
import { Draft, type DraftUpdate, type NodeReader } from './draft.ts'
import { commandFlows } from './flows/command-flows.ts'
import { forget } from './flows/forget.ts'
import { Pace, type PaceLimits } from './pace.ts'
import type { Refused } from './refusals/isolation.ts'
import { Refusals } from './refusals/refusals.ts'
import { RepairPace } from './repair-pace.ts'
import type { Report } from './report.ts'
import { Sync } from './sync.ts'

// One IP family in one mode: a Cluster in, a kernel that follows it, a report of each sync out.

export interface LaneParts {
  readonly family: Family
  readonly cluster: Cluster
  readonly mode: Mode
  readonly kernel: Kernel
  /** The connections the kernel tracks; where absent, the `conntrack` command lists and deletes them. */
  readonly flows?: FlowTable | undefined
  /** Commits to the ruleset; without them, the lane reads the kernel every sync period. */
  readonly ruleset?: RulesetWatch
  /** Resolves once a watch with late delivery may start: until then it would slow down lanes that write. */
  readonly mayWatch?: Promise<void>
  /** Where the belief is kept for the next process. */
  readonly keeping?: KeeperOptions
  readonly clock: Clock
  readonly limits: PaceLimits
  readonly nodeReader: NodeReader
  readonly onReport: (report: Report) => void
}

const NO_FLOWS: Report['flows'] = { isAsked: false, forgotten: 0 }
const NOTHING_DONE: Pick<Report, 'looked' | 'doubted' | 'commands' | 'bytes' | 'units' | 'flows' | 'stages' | 'drift'> =
  {
    drift: { count: 0, units: [] },
    stages: { draw: 0, read: 0, plan: 0, write: 0, forget: 0 },
    looked: true,
    doubted: 0,
    commands: 0,
    bytes: 0,
    units: { added: 0, changed: 0, removed: 0 },
    flows: NO_FLOWS,
  }

/** Up to this many Services are drawn in one go. */
const MANY = 100
/** Services in a step: some milliseconds of work. */
const STEP = 25

const DRIFT_SHOWN = 10

export class Lane {
  readonly family: Family
  readonly draft: Draft
  readonly #parts: LaneParts
  readonly #sync: Sync
  readonly #pace: Pace
  readonly #kernelWatch: KernelWatch | undefined
  #pendingFlows: PendingFlows = new Map()
  readonly #keeper: Keeper | undefined
  readonly #repairs: RepairPace
  readonly #refusals = new Refusals()
  readonly #audits: Audits

  constructor(parts: LaneParts) {
    this.family = parts.family
    this.draft = new Draft(parts.cluster, parts.mode, parts.nodeReader)
    this.#parts = parts
    this.#kernelWatch = this.#newKernelWatch()
    const watched = watchedKernel(parts.kernel, this.#kernelWatch)
    const fingerprints = this.#newFingerprints()
    const sight = this.#kernelWatch && { sight: this.#kernelWatch }
    this.#sync = new Sync(parts.mode, watched, { clock: parts.clock, fingerprints, ...sight })
    this.#keeper = this.#newKeeper(fingerprints)
    this.#pace = new Pace(parts.clock, parts.limits)
    this.#audits = new Audits({ sync: this.#sync, pace: this.#pace, clock: parts.clock })
    this.#repairs = new RepairPace(parts.limits.retryMs)
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
    const { ruleset, mayWatch } = this.#parts
    if (ruleset?.delivery === 'exact') this.#kernelWatch?.listen()
    else void Promise.resolve(mayWatch).then(() => signal.aborted || this.#kernelWatch?.listen())
    const keeping = this.#keeper?.run(signal)
    while (!signal.aborted) {
      const reason = await this.#pace.due(signal, this.#kernelWatch?.isListening ? 'watched' : 'unwatched')
      if (signal.aborted) break
      if (!this.#parts.cluster.complete) continue
      if (reason === 'distrust') this.#audit()
      this.#parts.onReport(await this.once())
      this.#audits.compare()
    }
    await this.#audits.ended()
    await keeping
  }

  /** After the run, when no command of this agent runs any more: keeps what is believed for the next process. */
  async keep(): Promise<void> {
    if (!this.#audits.isInQuestion) await this.#keeper?.save()
  }

  /** Owners whose rules the kernel refuses now, while all others are written. */
  get refused(): readonly Refused[] {
    return this.#refusals.waiting
  }

  /** Stops listening. */
  close(): void {
    this.#kernelWatch?.stop()
  }

  /**
   * Where every commit was heard, what is believed is what the kernel has. Otherwise the two are compared in the background:
   * reading may take a minute, and changes must not wait for it.
   */
  #audit(): void {
    if (this.#kernelWatch?.generation() !== undefined) this.#audits.confirm()
    else this.#audits.missed()
  }

  async once(): Promise<Report> {
    const { mode, clock, family } = this.#parts
    const startedAt = clock.now()
    this.#kernelWatch?.hear()
    this.#repairs.runs(startedAt)
    if (!this.#sync.isKnown) this.#audits.readsAll()
    const { serviceChanges, pendingFlows } = await this.#draw()
    this.#pendingFlows = new Map([...this.#pendingFlows, ...pendingFlows])
    const about = { mode: mode.name, numbers: mode.numbers ?? {}, family, startedAt, serviceChanges }
    const drawnAt = clock.now()
    try {
      const confirmed = this.#audits.takeConfirmed()
      if (this.#keeper !== undefined) await this.#keeper.resume(this.draft.book)
      for (const owner of this.#refusals.due(startedAt)) this.draft.book.release(owner)
      const { plan, drift, blocked, doubted, commands, bytes, stages, ...done } = await this.#sync.run(this.draft.book)
      this.#pace.succeeded()
      if (done.looked) this.#pace.kernelRead()
      if (done.corrected) this.#keeper?.changed('all')
      else if (commands > 0) this.#keeper?.changed(unitsOf(plan))
      const looked = done.looked || confirmed
      const refused = this.#refusals.record(done.refused, this.draft.book.withheld, clock.now())
      const retryAt = this.#refusals.nextAt
      if (retryAt < Number.POSITIVE_INFINITY) this.#pace.requestIn(retryAt - clock.now())
      // While rules were missing, connections passed without DNAT, and conntrack would let them go on.
      if (drift.length + done.unknown > 0)
        this.#pendingFlows = new Map([...this.draft.bypassedFlows, ...this.#pendingFlows])
      const writtenAt = clock.now()
      const flows = await this.#forget()
      const endedAt = clock.now()
      const took = {
        tookMs: endedAt - startedAt,
        stages: { draw: drawnAt - startedAt, ...stages, forget: endedAt - writtenAt },
      }
      const units = { added: plan.add.size, changed: plan.change.size, removed: plan.remove.size }
      const drifted = { count: drift.length, units: drift.slice(0, DRIFT_SHOWN).map(textOf) }
      return { ...about, ...took, looked, doubted, commands, bytes, units, flows, drift: drifted, blocked, refused }
    } catch (error) {
      this.#keeper?.changed('all')
      const failure = { error, retryMs: this.#pace.failed() }
      return { ...about, ...NOTHING_DONE, tookMs: clock.now() - startedAt, failure }
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
      const { kernel, mode, flows = commandFlows(kernel) } = this.#parts
      const nodeAddresses = this.draft.nodeFacts?.addresses ?? []
      const listenerOf = await mode.proxyPorts?.read(kernel)
      const options = { pending, family: this.family, nodeAddresses, ...(listenerOf !== undefined && { listenerOf }) }
      return { isAsked: true, forgotten: await forget(flows, options) }
    } catch (error) {
      this.#pendingFlows = new Map([...pending, ...this.#pendingFlows])
      this.#pace.requestIn(this.#parts.limits.retryMs)
      return { isAsked: true, forgotten: 0, error }
    }
  }

  #newFingerprints(): Fingerprints | undefined {
    const { mode, ruleset, clock } = this.#parts
    const prints = mode.watches?.parts?.prints
    if (prints === undefined || ruleset?.dump === undefined) return undefined
    return new Fingerprints({ prints, clock, dump: () => this.#kernelWatch?.dump() })
  }

  #newKeeper(fingerprints: Fingerprints | undefined): Keeper | undefined {
    const { keeping, mode, family, clock } = this.#parts
    const kernelWatch = this.#kernelWatch
    if (kernelWatch === undefined || (keeping === undefined && fingerprints === undefined)) return undefined
    const onQuestion = (): void => this.#audits.question()
    const name = `belief-${family}`
    return new Keeper({ keeping, name, mode, sync: this.#sync, fingerprints, kernelWatch, clock, onQuestion })
  }

  #newKernelWatch(): KernelWatch | undefined {
    const { mode, ruleset, clock } = this.#parts
    if (mode.watches === undefined || ruleset === undefined) return undefined
    const onForeignChange = (touched: Suspects): void => this.#repair(touched)
    const onGap = (): void => this.#audits.missed()
    return new KernelWatch({ watches: mode.watches, ruleset, clock, onForeignChange, onGap })
  }

  #repair(touched: Suspects): void {
    if (touched === 'everything') this.#sync.forget()
    else this.#sync.doubt(touched)
    this.#pace.repairAt(this.#repairs.changed(this.#parts.clock.now()))
  }
}

function watchedKernel(kernel: Kernel, watch: KernelWatch | undefined): Kernel {
  return watch === undefined ? kernel : { run: command => watch.during(command, () => kernel.run(command)) }
}
