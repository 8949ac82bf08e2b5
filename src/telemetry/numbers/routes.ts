import { Registry } from '#telemetry/exposition.ts'

// What rounds over the routes to other nodes find and do → numbers of /metrics.

export interface RouteNumbers {
  readonly wanted: number
  readonly installed: number
  readonly refused: number
  readonly repaired: number
  /** Nodes that are reached over the overlay. */
  readonly overlayNodes: number
}

export class RouteMetrics {
  readonly #registry = new Registry()
  readonly #metrics: ReturnType<typeof routeMetrics>

  constructor() {
    this.#metrics = routeMetrics(this.#registry)
  }

  round({ wanted, installed, refused, repaired, overlayNodes }: RouteNumbers): void {
    const metrics = this.#metrics
    metrics.rounds.add({ result: 'done' })
    metrics.wanted.set({}, wanted)
    metrics.installed.set({}, installed)
    metrics.refused.set({}, refused)
    metrics.repaired.add({}, repaired)
    metrics.overlayNodes.set({}, overlayNodes)
  }

  roundFailed(): void {
    this.#metrics.rounds.add({ result: 'failed' })
  }

  masqueradeWritten(why: 'begun' | 'repaired' | 'failed'): void {
    this.#metrics.masquerade.add({ why })
  }

  text(): string {
    return this.#registry.text()
  }
}

function routeMetrics(registry: Registry) {
  const routes = <Name extends string>(name: string, help: string, labels: readonly Name[] = []) => ({
    name: `switchyard_${name}`,
    help,
    ...(labels.length > 0 && { labels }),
  })
  return {
    wanted: registry.gauge(routes('routes_wanted', 'Ranges of other nodes that a route is to lead to.')),
    installed: registry.gauge(routes('routes_installed', 'Routes to ranges of other nodes that stand.')),
    refused: registry.gauge(
      routes('routes_refused', 'Ranges of other nodes that no route is laid to; the log says why.'),
    ),
    repaired: registry.counter(routes('routes_repaired_total', 'Routes that were taken away and added again.')),
    overlayNodes: registry.gauge(routes('overlay_nodes', 'Nodes that are reached over the overlay.')),
    rounds: registry.counter(
      routes('route_rounds_total', 'Rounds in which routes were compared with what they are to be.', ['result']),
    ),
    masquerade: registry.counter(
      routes('masquerade_writes_total', 'How often the rules for what leaves the cluster were written, and why.', [
        'why',
      ]),
    ),
  }
}
