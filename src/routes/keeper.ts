import type { NamespaceNetwork, Networks } from '#system/network/network.ts'
import type { RouteWatch } from '#system/network/route-watch.ts'
import type { Clock } from '#system/ports.ts'
import type { Log } from '#telemetry/log/klog.ts'
import type { Address } from '#values/address.ts'
import type { RouteCluster, RouteClusterView, RouteNode } from './cluster/route-node.ts'
import type { RouteSettings } from './plan/route-plan.ts'
import { type RouteReport, routeRound, type StandingRoutes } from './round.ts'
import { RouteLog } from './route-log.ts'

// The cluster as it changes, and the kernel's notices → rounds, for as long as the daemon runs. When it ends, the routes stay:
// pods go on talking while it is replaced.

export interface RouteKeeperParts {
  readonly nodeName: string
  readonly settings: RouteSettings
  readonly view: RouteClusterView
  readonly networks: Networks
  /** See `PlanParts`. */
  readonly ownAddresses: () => Promise<readonly Address[] | undefined>
  readonly clock: Clock
  readonly log: Log
  /** Undefined where the kernel's notices cannot be had. */
  readonly watch: (links: () => ReadonlySet<string>) => RouteWatch | undefined
  readonly observed: (report: RouteReport | 'failed') => void
  /** Called after each round. */
  readonly kept: (self: RouteNode, cluster: RouteCluster) => Promise<void>
  readonly signal: AbortSignal
}

/** So long a route that is taken away is missed at most, where notices are heard. */
const LOOK_EVERY_MS = 250
/** A look at everything, also where nothing was heard: in a cluster of 5,000 nodes it takes 0.2 s of a processor. */
const AUDIT_EVERY_MS = 60_000
/** Where notices cannot be heard. */
const BLIND_AUDIT_EVERY_MS = 30_000
const RETRY_AFTER_MS = 5000

/** Resolves when the signal has aborted and the round that was under way is done. */
export async function keepRoutes(parts: RouteKeeperParts): Promise<void> {
  const keeper = new RouteKeeper(parts)
  try {
    await keeper.run()
  } finally {
    keeper.close()
  }
}

class RouteKeeper {
  readonly #parts: RouteKeeperParts
  readonly #log: RouteLog
  readonly #watch: RouteWatch | undefined
  #network: NamespaceNetwork | undefined
  #standing: StandingRoutes | undefined
  #links: ReadonlySet<string> = new Set()
  #isFailing = false

  constructor(parts: RouteKeeperParts) {
    this.#parts = parts
    this.#log = new RouteLog(parts.log)
    this.#watch = parts.watch(() => this.#links)
  }

  async run(): Promise<void> {
    const { view, clock, signal } = this.#parts
    const auditEveryMs = this.#watch === undefined ? BLIND_AUDIT_EVERY_MS : AUDIT_EVERY_MS
    let [nextAt, revision] = [clock.now(), -1]
    while (!signal.aborted) {
      const isHeard = this.#watch?.heard() ?? false
      const isDue = isHeard || view.revision !== revision || clock.now() >= nextAt
      const cluster = isDue ? view.cluster() : undefined
      if (cluster !== undefined) {
        revision = view.revision
        const isDone = await this.#round(cluster)
        nextAt = clock.now() + (isDone ? auditEveryMs : RETRY_AFTER_MS)
      }
      await clock.sleep(LOOK_EVERY_MS, signal)
    }
  }

  close(): void {
    this.#watch?.close()
    this.#network?.close()
  }

  async #round(cluster: RouteCluster): Promise<boolean> {
    const { nodeName, settings, networks, observed, kept, clock, log } = this.#parts
    try {
      this.#network ??= await networks.open()
      const ownAddresses = await this.#parts.ownAddresses()
      const round = await routeRound({
        ...{ nodeName, cluster, settings, network: this.#network, before: this.#standing },
        pause: () => clock.sleep(0),
        ...(ownAddresses && { ownAddresses }),
      })
      if (typeof round === 'string') this.#log.held(round, nodeName)
      else {
        this.#standing = round.standing
        this.#links = round.links
        this.#log.report(round)
        observed(round)
        await kept(round.self, cluster)
      }
      this.#isFailing = false
      return true
    } catch (error) {
      // Once, not every five seconds.
      if (!this.#isFailing)
        log.error('Routes to other nodes could not be kept', error, { next: 'tried again every 5s' })
      this.#isFailing = true
      observed('failed')
      this.#network?.close()
      this.#network = undefined
      return false
    }
  }
}
