import type { Report } from '#proxy/sync/report.ts'
import type { Clock } from '#system/ports.ts'
import { FAMILY_LABEL, type Family } from '#values/address.ts'

// Reports → two answers. /healthz: whether this node may be sent traffic; it says yes only after the first rules stand
// in every family, and no while a change waits for too long, because syncs fail or hang, or while the API server is
// silent. /livez: whether this process can go on. It says no only where a new process would do better, because that is
// what follows: with an API server that is away, or rules that the kernel refuses, every node of a cluster would
// restart its agent in the same outage, and in userspace mode every connection through a Service ends with the agent.

export interface HealthLimits {
  /** A change that has waited this long without reaching the kernel makes the node unhealthy: twice the sync period. */
  readonly overdueMs: number
  /** So does an API server that has said nothing for this long: changes may have been missed. */
  readonly silentMs: number
  /** A lane that has work and has reported neither success nor failure for this long, longer than any sync, is stuck. */
  readonly stuckMs: number
}

export interface HealthAnswer {
  readonly status: 200 | 503
  readonly body: string
}

interface LaneHealth {
  /** The last success. */
  readonly updated?: number
  /** The last report, of a success or of a failure. */
  readonly reported?: number
  /** Since when a change has been waiting, and when the last one came. */
  readonly waiting?: { readonly since: number; readonly last: number }
}

/** What an answer is made from; the fields of its JSON are kube-proxy's. */
interface Finding {
  readonly good: boolean
  readonly extra: object
  readonly healthy: boolean
  readonly isHealthy: (lane: LaneHealth) => boolean
  readonly reason: object
}

/** Cluster autoscaler's mark: the node is going, so load balancers should leave it. */
const LEAVING_TAINT = 'ToBeDeletedByClusterAutoscaler'
const NEVER = '0001-01-01T00:00:00Z'

export class Health {
  readonly #clock: Clock
  readonly #limits: HealthLimits
  readonly #lastHeard: () => number | undefined
  readonly #lanes = new Map<Family, LaneHealth>()
  #eligible = false

  /**
   * `lastHeard` is when the source of the cluster last showed a sign of life; a source that ends has nothing to say.
   */
  constructor(clock: Clock, limits: HealthLimits, lastHeard: () => number | undefined) {
    this.#clock = clock
    this.#limits = limits
    this.#lastHeard = lastHeard
  }

  expect(family: Family): void {
    this.#lanes.set(family, {})
  }

  /** No report of this family is waited for any more. */
  leaveOut(family: Family): void {
    this.#lanes.delete(family)
  }

  queued(family: Family): void {
    const lane = this.#lanes.get(family)
    const now = this.#clock.now()
    this.#lanes.set(family, { ...lane, waiting: { since: lane?.waiting?.since ?? now, last: now } })
  }

  record({ family, failure, startedAt, tookMs }: Report): void {
    const reported = startedAt + tookMs
    if (failure !== undefined) {
      this.queued(family)
      this.#lanes.set(family, { ...this.#lanes.get(family), reported })
      return
    }
    const updated = reported
    const last = this.#lanes.get(family)?.waiting?.last
    // What came while the sync was running is not in it, and waits for the next one.
    const isLate = last !== undefined && last > startedAt
    this.#lanes.set(family, { updated, reported, ...(isLate && { waiting: { since: updated, last } }) })
  }

  node(node: { readonly deleting: boolean; readonly taints: readonly string[] } | undefined): void {
    this.#eligible = node !== undefined && !node.deleting && !node.taints.includes(LEAVING_TAINT)
  }

  /** Whether the rules of this node are up to date, whatever becomes of the node. */
  get healthy(): boolean {
    return !this.#silent() && this.#lanes.size > 0 && [...this.#lanes.values()].every(lane => this.#isHealthy(lane))
  }

  /** May load balancers send traffic here? */
  healthz(): HealthAnswer {
    const { healthy } = this
    const answer = { good: healthy && this.#eligible, extra: { nodeEligible: this.#eligible }, healthy }
    return this.#answer({ ...answer, isHealthy: lane => this.#isHealthy(lane), reason: this.#apiServer() })
  }

  /**
   * Should this process go on? That it answers shows that its event loop turns; besides that, only a stuck lane is a
   * reason to end it, and only while the API server is heard: a new process could not learn from a silent one what to
   * write.
   */
  livez(): HealthAnswer {
    const isLive = (lane: LaneHealth): boolean => this.#silent() || !this.#isStuck(lane)
    const good = [...this.#lanes.values()].every(isLive)
    return this.#answer({ good, extra: {}, healthy: good, isHealthy: isLive, reason: {} })
  }

  #answer({ good, extra, healthy, isHealthy, reason }: Finding): HealthAnswer {
    const now = this.#clock.now()
    const lanes = [...this.#lanes].map(([family, lane]) => [
      FAMILY_LABEL[family],
      { lastUpdated: stamp(lane.updated), healthy: isHealthy(lane) },
    ])
    const newest = Math.max(...[...this.#lanes.values()].map(({ updated }) => updated ?? 0))
    const lastUpdated = stamp(good ? now : newest > 0 ? newest : undefined)
    const status = lanes.length > 0 && { status: Object.fromEntries(lanes) }
    const times = { lastUpdated, currentTime: stamp(now) }
    return { status: good ? 200 : 503, body: JSON.stringify({ ...times, ...extra, healthy, ...status, ...reason }) }
  }

  /** kube-proxy's JSON has no word for it, so it stands there only where it is the reason. */
  #apiServer(): object {
    const heard = this.#lastHeard()
    return this.#silent() ? { apiServer: { lastHeard: stamp(heard === 0 ? undefined : heard), healthy: false } } : {}
  }

  #isHealthy({ updated, waiting }: LaneHealth): boolean {
    if (updated === undefined) return false
    return waiting === undefined || this.#clock.now() - waiting.since < this.#limits.overdueMs
  }

  /** A sync that fails is not stuck: it reports, and comes again. */
  #isStuck({ waiting, reported = 0 }: LaneHealth): boolean {
    return waiting !== undefined && this.#clock.now() - Math.max(waiting.since, reported) >= this.#limits.stuckMs
  }

  #silent(): boolean {
    const heard = this.#lastHeard()
    return heard !== undefined && this.#clock.now() - heard >= this.#limits.silentMs
  }
}

function stamp(ms: number | undefined): string {
  return ms === undefined ? NEVER : new Date(ms).toISOString()
}
