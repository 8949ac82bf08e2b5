import type { Report } from '#proxy/sync/report.ts'
import type { Family } from '#values/address.ts'
import { type Gauge, Registry } from './exposition.ts'
import { type LaneNumbers as KubeProxyLane, KubeProxyMetrics } from './numbers/kube-proxy.ts'
import { OwnMetrics, type OwnNumbers } from './numbers/own.ts'
import type { PendingChange } from './numbers/pending.ts'
import { type MeasuredRequest, RequestMetrics, type RequestResult } from './numbers/requests.ts'
import { type RanCommand, Tallies } from './numbers/tally.ts'

// What happens, and numbers that are read at each scrape → the text of /metrics.

/** Numbers that are read only when /metrics is scraped. */
export interface CurrentNumbers extends Omit<OwnNumbers, 'lanes'> {
  readonly lanes: readonly (KubeProxyLane & OwnNumbers['lanes'][number])[]
  readonly vitals: {
    readonly cpuSeconds: number
    readonly residentBytes: number
    readonly virtualBytes?: number
    readonly openFiles?: number
    readonly maxFiles?: number
  }
}

export interface MetricsOptions {
  readonly now: () => number
  /** When this process began, in milliseconds since the epoch. */
  readonly startedAt: number
  readonly build: Readonly<Record<'version' | 'node' | 'mode', string>>
}

export class Metrics {
  readonly #registry = new Registry()
  readonly #tallies = new Tallies()
  readonly #kubeProxy: KubeProxyMetrics
  readonly #own: OwnMetrics
  readonly #requests: RequestMetrics
  readonly #vitals: ReturnType<typeof vitalsIn>

  constructor({ now, startedAt, build }: MetricsOptions) {
    this.#kubeProxy = new KubeProxyMetrics(this.#registry, now)
    this.#own = new OwnMetrics(this.#registry)
    this.#own.build(build)
    this.#requests = new RequestMetrics(this.#registry)
    this.#vitals = vitalsIn(this.#registry)
    this.#vitals.startedAt.set({}, startedAt / 1000)
  }

  changed(change: PendingChange): void {
    this.#kubeProxy.changed(change)
  }

  /** A change waits for this lane. */
  queued(family: Family): void {
    this.#kubeProxy.queued(family)
  }

  reported(report: Report): void {
    this.#kubeProxy.reported(report, this.#tallies.take(report.family))
    this.#own.reported(report)
  }

  ran(ran: RanCommand): void {
    this.#tallies.ran(ran)
    this.#own.ran(ran)
  }

  probed(path: 'healthz' | 'livez', status: number): void {
    this.#kubeProxy.probed(path, status)
  }

  /** The API server has answered a request, or has not. */
  requested(requested: RequestResult): void {
    this.#requests.requested(requested)
  }

  /** An answer has come to its end. Watches are not counted here. */
  finished(finished: MeasuredRequest): void {
    this.#requests.finished(finished)
  }

  /** What became of a Kubernetes Event. */
  sent(result: 'sent' | 'dropped'): void {
    this.#own.sent(result)
  }

  text(standing: CurrentNumbers): string {
    this.#kubeProxy.look(standing.lanes)
    this.#own.look(standing)
    this.#vitals.look(standing.vitals)
    return this.#registry.text()
  }
}

/** The names every Prometheus client library gives them. */
function vitalsIn(registry: Registry) {
  const gauge = (name: string, help: string) => registry.gauge({ name: `process_${name}`, help })
  const cpu = registry.counter({ name: 'process_cpu_seconds_total', help: 'CPU time spent, in seconds.' })
  const resident = gauge('resident_memory_bytes', 'Resident memory size in bytes.')
  const optional: Readonly<Record<'virtualBytes' | 'openFiles' | 'maxFiles', Gauge<never>>> = {
    virtualBytes: gauge('virtual_memory_bytes', 'Virtual memory size in bytes.'),
    openFiles: gauge('open_fds', 'Number of open file descriptors.'),
    maxFiles: gauge('max_fds', 'Maximum number of open file descriptors.'),
  }
  return {
    startedAt: gauge('start_time_seconds', 'Start time of the process since unix epoch in seconds.'),
    look({ cpuSeconds, residentBytes, ...rest }: CurrentNumbers['vitals']): void {
      cpu.follow({}, cpuSeconds)
      resident.set({}, residentBytes)
      for (const [name, value] of Object.entries(rest)) optional[name as keyof typeof optional].set({}, value)
    },
  }
}
