import type { Report } from '#proxy/sync/report.ts'
import type { Clock } from '#system/ports.ts'
import { FAMILY_LABEL, type Family } from '#values/address.ts'

// Reports → whether this node may be sent traffic. It says yes only after the first rules stand in every family, and
// stops saying so when a change waits for too long, because syncs fail or hang, or when the API server is silent.

export interface HealthLimits {
  /** A change that has waited this long without reaching the kernel makes the node unhealthy: twice the sync period. */
  readonly overdueMs: number
  /** So does an API server that has said nothing for this long: who knows what we have missed. */
  readonly silentMs: number
}

export interface Answer {
  readonly status: 200 | 503
  readonly body: string
}

interface LaneHealth {
  /** The last success. */
  readonly updated?: number
  /** Since when a change has been waiting, and when the last one came. */
  readonly waiting?: { readonly since: number; readonly last: number }
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

  /** `lastHeard` is when the source of the cluster last showed a sign of life; a source that ends has nothing to say. */
  constructor(clock: Clock, limits: HealthLimits, lastHeard: () => number | undefined) {
    this.#clock = clock
    this.#limits = limits
    this.#lastHeard = lastHeard
  }

  expect(family: Family): void {
    this.#lanes.set(family, {})
  }

  queued(family: Family): void {
    const lane = this.#lanes.get(family)
    const now = this.#clock.now()
    this.#lanes.set(family, { ...lane, waiting: { since: lane?.waiting?.since ?? now, last: now } })
  }

  record({ family, failure, startedAt, tookMs }: Report): void {
    if (failure !== undefined) {
      this.queued(family)
      return
    }
    const updated = startedAt + tookMs
    const last = this.#lanes.get(family)?.waiting?.last
    // What came while the sync was running is not in it, and waits for the next one.
    const isLate = last !== undefined && last > startedAt
    this.#lanes.set(family, { updated, ...(isLate && { waiting: { since: updated, last } }) })
  }

  node(node: { readonly deleting: boolean; readonly taints: readonly string[] } | undefined): void {
    this.#eligible = node !== undefined && !node.deleting && !node.taints.includes(LEAVING_TAINT)
  }

  /** Whether the proxy itself works, whatever becomes of its node. */
  get healthy(): boolean {
    return !this.#silent() && this.#lanes.size > 0 && [...this.#lanes.values()].every(lane => this.#isHealthy(lane))
  }

  /** May load balancers send traffic here? */
  healthz(): Answer {
    return this.#answer(this.healthy && this.#eligible, { nodeEligible: this.#eligible })
  }

  /** Is the proxy alive, so that it need not be restarted? */
  livez(): Answer {
    return this.#answer(this.healthy, {})
  }

  #answer(good: boolean, extra: object): Answer {
    const now = this.#clock.now()
    const lanes = [...this.#lanes].map(([family, lane]) => [
      FAMILY_LABEL[family],
      { lastUpdated: stamp(lane.updated), healthy: this.#isHealthy(lane) },
    ])
    const newest = Math.max(...[...this.#lanes.values()].map(({ updated }) => updated ?? 0))
    const lastUpdated = stamp(good ? now : newest > 0 ? newest : undefined)
    const status = lanes.length > 0 && { status: Object.fromEntries(lanes) }
    const times = { lastUpdated, currentTime: stamp(now) }
    const body = JSON.stringify({ ...times, ...extra, healthy: this.healthy, ...status, ...this.#apiServer() })
    return { status: good ? 200 : 503, body }
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

  #silent(): boolean {
    const heard = this.#lastHeard()
    return heard !== undefined && this.#clock.now() - heard >= this.#limits.silentMs
  }
}

function stamp(ms: number | undefined): string {
  return ms === undefined ? NEVER : new Date(ms).toISOString()
}
