import { engineNumbers } from '#command-line/engine-numbers.ts'
import type { Invocation } from '#command-line/start.ts'
import { VERSION } from '#command-line/version.ts'
import { shownConfiguration } from '#config/shown/effective.ts'
import type { Credentials } from '#kubernetes/access/credentials.ts'
import type { Event } from '#kubernetes/event.ts'
import { EventWriter, type Fate } from '#kubernetes/event-writer.ts'
import type { RequestObserver } from '#kubernetes/request-observer.ts'
import type { ApiStats } from '#kubernetes/stats.ts'
import { ApiTransport } from '#kubernetes/transport.ts'
import { isPageServed } from '#page/paths.ts'
import { healthChecks } from '#proxy/desired/health-checks.ts'
import { noLocalEndpoints } from '#proxy/desired/no-local.ts'
import { healthCheckAddresses } from '#proxy/node/node-view.ts'
import type { Lane } from '#proxy/sync/lane.ts'
import type { Report } from '#proxy/sync/report.ts'
import type { Clock, Kernel } from '#system/ports.ts'
import type { HttpResponder } from '#system/sockets.ts'
import { processStartedAt, vitals } from '#system/vitals.ts'
import { claimLost, type EventReporter, healthCheckFailed, rulesRefused, starting } from '#telemetry/events.ts'
import { type CurrentNumbers, Metrics } from '#telemetry/metrics.ts'
import type { PendingChange } from '#telemetry/numbers/pending.ts'
import type { ShownRefusal } from '#telemetry/server.ts'
import { Slis } from '#telemetry/slis.ts'
import { FAMILY_LABEL, type Family, isLoopback } from '#values/address.ts'
import type { Agent } from './agent.ts'
import { observedKernel } from './observed-kernel.ts'
import { serviceOf } from './owner.ts'
import { AgentPage } from './page/agent-page.ts'
import type { PodViews } from './page/sources.ts'
import { ruleCounts } from './rule-counts.ts'
import { HealthCheckServers } from './servers/health-check-servers.ts'
import { serveMetrics } from './servers/metrics-server.ts'
import { serveHealth } from './servers/probes.ts'
import { Profiles } from './servers/profiles.ts'

// What the agent does → all that shows it to the outside: metrics, probes, health checks, Kubernetes Events.

export interface TelemetryParts extends Pick<Invocation, 'settings' | 'configuration' | 'flags' | 'log'> {
  readonly clock: Clock
  readonly nodeName: string
  /** The name the operating system has for this host. */
  readonly hostname: string
  readonly credentials: Credentials
  readonly stats: ApiStats
  /** Of the node, before it is observed: the page asks it for routes. */
  readonly kernel: Kernel
  /** What the other wing has on this node, for the page. */
  readonly podViews?: () => Promise<PodViews>
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
    const page = new AgentPage()
    agent.observe(page.observer)
    this.#events.send(starting(this.#reporter()))
    const probed = this.#metrics.probed.bind(this.#metrics)
    const shown = this.#shown(agent, () => this.#standing(agent.lanes, checks))
    const profiling = settings.profiling && { profiles: new Profiles({ nodeName, clock, log }) }
    try {
      await Promise.all([
        serveHealth({ settings, health: agent.health, clock, log, signal, probed }),
        serveMetrics({ settings, shown, clock, log, signal, ...profiling, ...this.#page(page, agent) }),
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
    if (!draft.mode.numbers?.rules) return numbers
    const rules = this.#counted.get(family) ?? ruleCounts(draft.book.rules)
    this.#counted.set(family, rules)
    return { ...numbers, rules }
  }

  #shown(agent: Agent, standing: () => CurrentNumbers) {
    const { settings, configuration, flags, clock } = this.#parts
    const engine = engineNumbers()
    return {
      metrics: () => this.#metrics.text(standing()) + engine(),
      slis: new Slis(processStartedAt()),
      mode: settings.mode,
      configuration: shownConfiguration(configuration),
      refused: () => agent.lanes.flatMap(refusalsOf),
      flags,
      version: settings.reportedVersion ?? VERSION,
      runtime: `Node ${process.version}`,
      startedAt: processStartedAt(),
      now: () => clock.now(),
    }
  }

  #page(page: AgentPage, agent: Agent): { readonly page?: HttpResponder } {
    const { settings, ...about } = this.#parts
    const { metrics: at, mode, reportedVersion: version } = settings
    if (at === undefined || !isPageServed(settings.page, at.host)) return {}
    return { page: page.responder({ ...about, agent, mode, version, isLoopback: isLoopback(at.host) }) }
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

function refusalsOf({ family, refused }: Lane): readonly ShownRefusal[] {
  return refused.map(({ owner, unit, error }) => {
    return { ipFamily: FAMILY_LABEL[family], servicePort: owner, unit, reason: (error as Error).message }
  })
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

function aborted(signal: AbortSignal): Promise<unknown> {
  if (signal.aborted) return Promise.resolve()
  return new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
}
