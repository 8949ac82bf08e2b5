import type { Report } from '#proxy/sync/report.ts'
import type { Registry } from '#telemetry/exposition.ts'
import { FAMILY_LABEL, type Family } from '#values/address.ts'
import { kubeProxyMetrics } from './kube-proxy-names.ts'
import { Pending, type PendingChange } from './pending.ts'
import type { Tally } from './tally.ts'

// What happens → the numbers kube-proxy keeps of it.

/** Read when /metrics is scraped. */
export interface LaneNumbers {
  readonly family: Family
  /** Service ports with policy Local that have endpoints, but none on this node. */
  readonly noLocalEndpoints: { readonly internal: number; readonly external: number }
  /** iptables rules by table; absent in other modes. */
  readonly rules?: Readonly<Record<string, number>>
}

export class KubeProxyMetrics {
  readonly #pending = new Pending()
  readonly #startedAt: number
  readonly #now: () => number
  readonly #metrics: ReturnType<typeof kubeProxyMetrics>

  constructor(registry: Registry, now: () => number) {
    this.#now = now
    this.#startedAt = now()
    this.#metrics = kubeProxyMetrics(registry)
  }

  changed(change: PendingChange): void {
    this.#pending.noticed(change, this.#now())
    // As kube-proxy counts: a Service for each family, a slice has only one.
    if (change.kind === 'Service') this.#metrics.serviceChanges.add({}, change.families.length)
    else this.#metrics.endpointChanges.add({})
  }

  queued(family: Family): void {
    this.#metrics.lastQueued.set({ ip_family: FAMILY_LABEL[family] }, this.#now() / 1000)
  }

  probed(path: 'healthz' | 'livez', status: number): void {
    this.#metrics[path].add({ code: String(status) })
  }

  reported(report: Report, tally: Tally): void {
    const of = { ip_family: FAMILY_LABEL[report.family] }
    const seconds = report.tookMs / 1000
    const looked = report.failure === undefined ? report.looked : tally.looked
    this.#metrics.sync.observe(of, seconds)
    if (report.numbers.stages) this.#metrics[looked ? 'full' : 'partial'].observe(of, seconds)
    if (report.failure === undefined) this.#succeeded(report, tally)
    else this.#failed(report, tally)
  }

  /** Brings gauges up to date that are only worth working out when they are asked for. */
  look(lanes: readonly LaneNumbers[]): void {
    this.#metrics.servicesPending.set({}, this.#pending.count('Service'))
    this.#metrics.endpointsPending.set({}, this.#pending.count('EndpointSlice'))
    for (const { family, noLocalEndpoints, rules } of lanes) {
      const ip_family = FAMILY_LABEL[family]
      for (const [traffic_policy, n] of Object.entries(noLocalEndpoints)) {
        this.#metrics.noLocalEndpoints.set({ ip_family, traffic_policy }, n)
      }
      for (const [table, n] of Object.entries(rules ?? {})) this.#metrics.rules.set({ ip_family, table }, n)
    }
  }

  #succeeded({ family, numbers, startedAt, tookMs, stages, flows }: Report, tally: Tally): void {
    const ip_family = FAMILY_LABEL[family]
    const endedAt = startedAt + tookMs
    this.#metrics.lastSync.set({ ip_family }, endedAt / 1000)
    for (const triggered of this.#pending.done(family, startedAt)) {
      // A change from before our start says nothing about how fast we are.
      if (triggered >= this.#startedAt) this.#metrics.programming.observe({ ip_family }, (endedAt - triggered) / 1000)
    }
    if (numbers.rules) {
      for (const [table, n] of Object.entries(tally.rules)) this.#metrics.rulesWritten.set({ ip_family, table }, n)
    }
    if (!flows.isAsked) return
    this.#metrics.conntrack.observe({ ip_family }, stages.forget / 1000)
    this.#metrics.conntrackDeleted.add({ ip_family }, flows.forgotten)
  }

  #failed({ family, numbers }: Report, tally: Tally): void {
    const of = { ip_family: FAMILY_LABEL[family] }
    if (numbers.failures === 'nft') this.#metrics.nftFailures.add(of)
    if (!tally.restoreFailed) return
    this.#metrics.restoreFailures.add(of)
    if (numbers.rules && !tally.looked) this.#metrics.partialFailures.add(of)
  }
}
