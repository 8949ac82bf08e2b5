import type { Cluster } from '../cluster/cluster.ts'
import type { Owed } from '../desired/flows.ts'
import type { Mode } from '../modes/mode.ts'
import type { Clock, Kernel } from '../system/ports.ts'
import type { Family } from '../values/address.ts'
import type { ObjectName } from '../values/names.ts'
import { Draft, type LookAround } from './draft.ts'
import { forget } from './forget.ts'
import { type Limits, Pace } from './pace.ts'
import type { Report } from './report.ts'
import { Sync } from './sync.ts'

// One IP family in one mode: a Cluster in, a kernel that follows it, a report of each sync out.

export interface LaneParts {
  readonly family: Family
  readonly cluster: Cluster
  readonly mode: Mode
  readonly kernel: Kernel
  readonly clock: Clock
  readonly limits: Limits
  readonly lookAround: LookAround
  readonly tell: (report: Report) => void
}

const NO_FLOWS: Report['flows'] = { forgotten: 0 }
const NOTHING_DONE: Pick<Report, 'looked' | 'commands' | 'bytes' | 'units' | 'flows' | 'stages'> = {
  stages: { draw: 0, read: 0, plan: 0, write: 0, forget: 0 },
  looked: true,
  commands: 0,
  bytes: 0,
  units: { added: 0, changed: 0, removed: 0 },
  flows: NO_FLOWS,
}

export class Lane {
  readonly family: Family
  readonly draft: Draft
  readonly #parts: LaneParts
  readonly #sync: Sync
  readonly #pace: Pace
  #owed: Owed = new Map()

  constructor(parts: LaneParts) {
    this.family = parts.family
    this.draft = new Draft(parts.cluster, parts.mode, parts.lookAround)
    this.#parts = parts
    this.#sync = new Sync(parts.mode, parts.kernel, parts.clock)
    this.#pace = new Pace(parts.clock, parts.limits)
  }

  /** These Services may have changed, or the node: the next run will look at them. */
  touch(services: Iterable<ObjectName>): void {
    this.draft.touch(services)
    this.#pace.request()
  }

  /** Somebody else may have touched the kernel. */
  distrust(): void {
    this.#sync.forget()
    this.#pace.request()
  }

  /** Runs until the signal aborts; a command that has been started is always finished. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const reason = await this.#pace.due(signal)
      if (signal.aborted) return
      if (!this.#parts.cluster.complete) continue
      if (reason === 'distrust') this.#sync.forget()
      this.#parts.tell(await this.once())
    }
  }

  async once(): Promise<Report> {
    const { mode, clock, family } = this.#parts
    const startedAt = clock.now()
    const { news, owed } = this.draft.update()
    this.#owed = new Map([...this.#owed, ...owed])
    const about = { mode: mode.name, family, startedAt, news }
    const drawnAt = clock.now()
    try {
      const { plan, looked, commands, bytes, stages } = await this.#sync.run(this.draft.book)
      this.#pace.succeeded()
      const writtenAt = clock.now()
      const flows = await this.#forget()
      const endedAt = clock.now()
      const took = {
        tookMs: endedAt - startedAt,
        stages: { draw: drawnAt - startedAt, ...stages, forget: endedAt - writtenAt },
      }
      const units = { added: plan.add.size, changed: plan.change.size, removed: plan.remove.size }
      return { ...about, ...took, looked, commands, bytes, units, flows }
    } catch (error) {
      const failure = { error, retryMs: this.#pace.failed() }
      return { ...about, ...NOTHING_DONE, tookMs: clock.now() - startedAt, failure }
    }
  }

  /** Only after the rules stand: a connection forgotten earlier would come back along the old ones. */
  async #forget(): Promise<Report['flows']> {
    const owed = this.#owed
    if (owed.size === 0) return NO_FLOWS
    this.#owed = new Map()
    try {
      const nodeAddresses = this.draft.surroundings?.addresses ?? []
      return { forgotten: await forget(this.#parts.kernel, { owed, family: this.family, nodeAddresses }) }
    } catch (error) {
      this.#owed = new Map([...owed, ...this.#owed])
      this.#pace.requestIn(this.#parts.limits.retryMs)
      return { forgotten: 0, error }
    }
  }
}
