import { Registry } from '#telemetry/exposition.ts'

// What Node says of itself → the metrics that programs in Node have, by the names dashboards know them by.

export interface NodejsNumbers {
  readonly heap: { readonly totalBytes: number; readonly usedBytes: number; readonly externalBytes: number }
  readonly resources: ReadonlyMap<string, number>
  readonly loopUtilization: number
}

const COLLECTION_SECONDS = [0.001, 0.01, 0.1, 1, 2, 5]

export class NodejsMetrics {
  readonly #registry = new Registry()
  readonly #metrics = nodejsMetrics(this.#registry)
  readonly #types = new Set<string>()

  constructor(version: string) {
    const [major = '', minor = '', patch = ''] = version.replace(/^v/, '').split('.')
    this.#metrics.version.set({ version, major, minor, patch }, 1)
  }

  collected(kind: string, tookMs: number): void {
    this.#metrics.collections.observe({ kind }, tookMs / 1000)
  }

  /** How long the event loop let something wait that was to come at once. */
  lagged(ms: number): void {
    this.#metrics.lag.set({}, ms / 1000)
  }

  text({ heap, resources, loopUtilization }: NodejsNumbers): string {
    const metrics = this.#metrics
    metrics.heapTotal.set({}, heap.totalBytes)
    metrics.heapUsed.set({}, heap.usedBytes)
    metrics.external.set({}, heap.externalBytes)
    metrics.utilization.set({}, loopUtilization)
    for (const type of resources.keys()) this.#types.add(type)
    for (const type of this.#types) metrics.resources.set({ type }, resources.get(type) ?? 0)
    return this.#registry.text()
  }
}

function nodejsMetrics(registry: Registry) {
  const gauge = <const Name extends string = never>(name: string, help: string, labels: readonly Name[] = []) =>
    registry.gauge({ name: `nodejs_${name}`, help, labels })
  return {
    version: gauge('version_info', 'Node.js version info.', ['version', 'major', 'minor', 'patch']),
    heapTotal: gauge('heap_size_total_bytes', 'Process heap size from Node.js in bytes.'),
    heapUsed: gauge('heap_size_used_bytes', 'Process heap size used from Node.js in bytes.'),
    external: gauge('external_memory_bytes', 'Node.js external memory size in bytes.'),
    resources: gauge('active_resources', 'Resources that keep the event loop alive, by type.', ['type']),
    lag: gauge('eventloop_lag_seconds', 'How late the event loop was at the scrape before, in seconds.'),
    utilization: gauge('eventloop_utilization', 'The part of the time since the last scrape in which it had work.'),
    collections: registry.histogram(COLLECTION_SECONDS, {
      name: 'nodejs_gc_duration_seconds',
      help: 'Garbage collection duration by kind, one of major, minor, incremental or weakcb.',
      labels: ['kind'],
    }),
  }
}
