import type { Invocation } from '#command-line/start.ts'
import { VERSION } from '#command-line/version.ts'
import type { Credentials } from '#kubernetes/access/credentials.ts'
import type { Event } from '#kubernetes/event.ts'
import { EventWriter, type Fate } from '#kubernetes/event-writer.ts'
import type { RequestObserver } from '#kubernetes/request-observer.ts'
import type { ApiStats } from '#kubernetes/stats.ts'
import { ApiTransport } from '#kubernetes/transport.ts'
import { healthChecks } from '#proxy/desired/health-checks.ts'
import { noLocalEndpoints } from '#proxy/desired/no-local.ts'
import { healthCheckAddresses } from '#proxy/node/node-view.ts'
import type { Lane } from '#proxy/sync/lane.ts'
import type { Report } from '#proxy/sync/report.ts'
import type { Clock, Kernel } from '#system/ports.ts'
import { processStartedAt, vitals } from '#system/vitals.ts'
import { claimLost, type EventReporter, healthCheckFailed, rulesRefused, starting } from '#telemetry/events.ts'
import { type CurrentNumbers, Metrics } from '#telemetry/metrics.ts'
import type { PendingChange } from '#telemetry/numbers/pending.ts'
import { Slis } from '#telemetry/slis.ts'
import type { Family } from '#values/address.ts'
import type { ObjectName } from '#values/names.ts'
import type { Agent } from './agent.ts'
import { observedKernel } from './observed-kernel.ts'
import { ruleCounts } from './rule-counts.ts'
import { HealthCheckServers } from './servers/health-check-servers.ts'
import { serveMetrics } from './servers/metrics-server.ts'
import { serveHealth } from './servers/probes.ts'

// What the agent does → all that shows it to the outside: metrics, probes, health checks, Kubernetes Events.

export interface TelemetryParts extends Pick<Invocation, 'settings' | 'configuration' | 'flags' | 'log'> {
  readonly clock: Clock
  readonly nodeName: string
  /** The name the operating system has for this host. */
  readonly hostname: string
  readonly credentials: Credentials
  readonly stats: ApiStats
}

export class Telemetry {
  readonly #parts: TelemetryParts
  readonly #metrics: Metrics
  readonly #transport: ApiTransport
  readonly #events: EventWriter
  /** Kept until rules change: counting a million of them takes its time. */
  readonly #counted = new Map<Family, Readonly<Record<string, number>>>()

  constructor(parts: TelemetryParts) {
    const { settings, clock, credentials } = parts
    this.#parts = parts
    const build = { version: settings.reportedVersion ?? VERSION, node: process.version, mode: settings.mode }
    this.#metrics = new Metrics({ now: () => clock.now(), startedAt: processStartedAt(), build })
    this.#transport = new ApiTransport({ credentials, observer: this.observer })
    this.#events = new EventWriter({ transport: this.#transport, clock, onFate: fate => this.#recordFate(fate) })
  }

  /** Counts the requests to the API server. */
  get observer(): RequestObserver {
    return {
      now: () => this.#parts.clock.now(),
      requested: requested => this.#metrics.requested(requested),
      finished: finished => this.#metrics.finished(finished),
    }
  }

  /** The same kernel; its commands are counted. */
  kernel(kernel: Kernel): Kernel {
    return observedKernel(
      kernel,
      () => this.#parts.clock.now(),
      ran => this.#metrics.ran(ran),
    )
  }

  /** Observes the agent and serves its probes, metrics and health checks until the signal aborts. */
  async serve(agent: Agent, signal: AbortSignal): Promise<void> {
    const { settings, clock, log, nodeName } = this.#parts
    const checks = new HealthCheckServers({
      clock,
      log,
      nodeName,
      healthy: () => agent.health.healthy,
      failed: failure => this.#events.send(healthCheckFailed(this.#reporter(), failure.service, failure)),
    })
    agent.observe({
      applied: event => this.#applied(event, agent.lanes),
      queued: family => this.#metrics.queued(family),
      reported: report => this.#reported(report, agent, checks),
    })
    this.#events.send(starting(this.#reporter()))
    const probed = this.#metrics.probed.bind(this.#metrics)
    const shown = this.#shown(() => this.#standing(agent.lanes, checks))
    try {
      await Promise.all([
        serveHealth({ settings, health: agent.health, clock, log, signal, probed }),
        serveMetrics({ settings, shown, clock, log, signal }),
        aborted(signal),
      ])
    } finally {
      await Promise.all([checks.close(), this.#events.close()])
      await this.#transport.close()
    }
  }

  #applied(event: Event, lanes: readonly Lane[]): void {
    const change = changeIn(
      event,
      lanes.map(({ family }) => family),
    )
    if (change !== undefined && change.families.length > 0) this.#metrics.changed(change)
  }

  #reported(report: Report, agent: Agent, checks: HealthCheckServers): void {
    this.#metrics.reported(report)
    for (const { id, service, lost } of [...report.serviceChanges.added, ...report.serviceChanges.updated]) {
      for (const { frontend, holder } of lost)
        this.#events.send(claimLost(this.#reporter(), { id, service, frontend, holder }))
    }
    for (const { owner, unit, error } of report.refused ?? []) {
      const about = { owner, unit, service: serviceOf(owner), reason: (error as Error).message }
      this.#events.send(rulesRefused(this.#reporter(), about))
    }
    const { units, failure, family } = report
    if (units.added + units.changed + units.removed > 0) this.#counted.delete(family)
    const facts = agent.lanes.find(lane => lane.family === family)?.draft.nodeFacts
    if (failure !== undefined || facts === undefined) return
    const addresses = healthCheckAddresses(this.#parts.settings, facts)
    checks.want(family, healthChecks(agent.cluster, facts.thisNode), addresses)
  }

  #standing(lanes: readonly Lane[], { wanted, open }: HealthCheckServers): CurrentNumbers {
    return {
      watches: this.#parts.stats,
      lanes: lanes.map(lane => this.#laneNumbers(lane)),
      healthChecks: { wanted, open },
      vitals: vitals(),
    }
  }

  #laneNumbers({ family, draft }: Lane): CurrentNumbers['lanes'][number] {
    const ports = [...draft.resolved()]
    const numbers = {
      family,
      noLocalEndpoints: noLocalEndpoints(ports),
      lostClaims: ports.reduce((sum, { port }) => sum + port.lost.length, 0),
      units: draft.book.rules.size,
      refused: draft.book.withheld.size,
    }
    if (this.#parts.settings.mode !== 'iptables') return numbers
    const rules = this.#counted.get(family) ?? ruleCounts(draft.book.rules)
    this.#counted.set(family, rules)
    return { ...numbers, rules }
  }

  #shown(standing: () => CurrentNumbers) {
    const { settings, configuration, flags, clock } = this.#parts
    return {
      metrics: () => this.#metrics.text(standing()),
      slis: new Slis(processStartedAt()),
      mode: settings.mode,
      configuration,
      flags,
      version: settings.reportedVersion ?? VERSION,
      runtime: `Node ${process.version}`,
      startedAt: processStartedAt(),
      now: () => clock.now(),
    }
  }

  #reporter(): EventReporter {
    const { nodeName, hostname, clock } = this.#parts
    return { nodeName, hostname, now: clock.now() }
  }

  #recordFate(fate: Fate): void {
    this.#metrics.sent(fate.result)
    if (fate.result === 'sent') return
    const { reason, note } = fate.event
    this.#parts.log.info(2, 'Event was not sent', { reason, note, why: fate.why })
  }
}

/** A slice belongs to one family; of a deleted one only the name is known, so it counts in all lanes. */
function changeIn(event: Event, families: readonly Family[]): PendingChange | undefined {
  if (event.type === 'gone') {
    const { kind, name } = event
    return kind === 'Service' || kind === 'EndpointSlice' ? { kind, name, families } : undefined
  }
  if (event.type !== 'put') return undefined
  const { object } = event
  if (object.kind === 'Service') return { kind: 'Service', name: object.name, families }
  if (object.kind !== 'EndpointSlice') return undefined
  const { kind, name, family, triggered } = object
  return {
    kind,
    name,
    families: families.filter(it => it === family),
    ...(triggered !== undefined && { triggered }),
  }
}

/** `shop/cart:http/tcp` → `shop/cart`. */
function serviceOf(owner: string): ObjectName {
  return /^[^/]+\/[^:/]+/.exec(owner)![0] as ObjectName
}

function aborted(signal: AbortSignal): Promise<unknown> {
  if (signal.aborted) return Promise.resolve()
  return new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
}
