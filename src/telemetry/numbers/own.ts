import type { Report } from '#proxy/sync/report.ts'
import type { Registry } from '#telemetry/exposition.ts'
import { FAMILY_LABEL, type Family } from '#values/address.ts'
import { ownMetrics } from './own-names.ts'
import type { RanCommand } from './tally.ts'

// What happens → the numbers kube-proxy does not have: what a sync changed, where its time went, how watching goes.

/** What the reflector of one resource has counted. */
export interface WatchNumbers {
  readonly lastActivityAt: number
  readonly objects: number
  readonly lists: number
  readonly watches: number
  readonly gone: number
  readonly silences: number
  readonly malformed: number
  readonly failures: number
}

export interface OwnLaneNumbers {
  readonly family: Family
  readonly lostClaims: number
  readonly units: number
  /** Service ports whose rules the kernel refuses. */
  readonly refused: number
}

/** Read when /metrics is scraped. */
export interface OwnNumbers {
  /** By resource: Service, EndpointSlice, Node. */
  readonly watches: Readonly<Record<string, WatchNumbers>>
  readonly lanes: readonly OwnLaneNumbers[]
  readonly healthChecks: { readonly wanted: number; readonly open: number }
}

export class OwnMetrics {
  readonly #metrics: ReturnType<typeof ownMetrics>

  constructor(registry: Registry) {
    this.#metrics = ownMetrics(registry)
  }

  build(facts: Readonly<Record<'version' | 'node' | 'mode', string>>): void {
    this.#metrics.build.set(facts, 1)
  }

  ran({ program, tookMs, code }: RanCommand): void {
    this.#metrics.commandTook.observe({ program }, tookMs / 1000)
    if (code !== 0) this.#metrics.commandsFailed.add({ program })
  }

  sent(result: 'sent' | 'dropped'): void {
    this.#metrics.events.add({ result })
  }

  reported(report: Report): void {
    const { family, mode, failure } = report
    const ip_family = FAMILY_LABEL[family]
    this.#metrics.syncs.add({ ip_family, mode, result: failure === undefined ? 'success' : 'failure' })
    if (failure === undefined) this.#succeeded(report)
  }

  look({ watches, lanes, healthChecks }: OwnNumbers): void {
    for (const [resource, numbers] of Object.entries(watches)) this.#watch(resource, numbers)
    for (const { family, lostClaims, units, refused } of lanes) {
      this.#metrics.refused.set({ ip_family: FAMILY_LABEL[family] }, refused)
      this.#metrics.lostClaims.set({ ip_family: FAMILY_LABEL[family] }, lostClaims)
      this.#metrics.units.set({ ip_family: FAMILY_LABEL[family] }, units)
    }
    this.#metrics.healthChecks.set({ state: 'open' }, healthChecks.open)
    this.#metrics.healthChecks.set({ state: 'waiting' }, healthChecks.wanted - healthChecks.open)
  }

  #succeeded({ family, units, commands, bytes, stages, flows, looked, drift }: Report): void {
    const ip_family = FAMILY_LABEL[family]
    for (const [change, n] of Object.entries(units)) {
      this.#metrics.unitsChanged.add({ ip_family, change }, n)
      this.#metrics.unitsLast.set({ ip_family, change }, n)
    }
    for (const [stage, ms] of Object.entries(stages)) this.#metrics.stages.observe({ ip_family, stage }, ms / 1000)
    this.#metrics.commands.add({ ip_family }, commands)
    this.#metrics.bytes.add({ ip_family }, bytes)
    this.#metrics.looks.add({ ip_family }, looked ? 1 : 0)
    this.#metrics.flows.add({ ip_family }, flows.forgotten)
    if (flows.error !== undefined) this.#metrics.flowFailures.add({ ip_family })
    this.#metrics.drift.add({ ip_family }, drift.count)
    if (drift.count > 0) this.#metrics.repairs.add({ ip_family })
  }

  #watch(resource: string, numbers: WatchNumbers): void {
    const { lastActivityAt, objects, lists, watches, gone, silences, malformed, failures } = numbers
    this.#metrics.watchHeard.set({ resource }, lastActivityAt / 1000)
    this.#metrics.watchObjects.set({ resource }, objects)
    this.#metrics.lists.follow({ resource }, lists)
    this.#metrics.watches.follow({ resource }, watches)
    for (const [reason, n] of Object.entries({ gone, silence: silences, malformed })) {
      this.#metrics.watchTroubles.follow({ resource, reason }, n)
    }
    this.#metrics.watchFailures.follow({ resource }, failures)
  }
}
