import { Registry } from '#telemetry/exposition.ts'

// What the pods' daemon does → the numbers of its /metrics.

export interface PodOperation {
  readonly command: string
  readonly plugin: string
  /** Of the specification; 0 where it succeeded. */
  readonly code: number
  readonly tookMs: number
  readonly waitedMs: number
  readonly abandoned: boolean
}

/** Numbers that are read only when /metrics is scraped. */
export interface CurrentPodNumbers {
  readonly underWay: number
  /** Undefined where the database cannot be read. */
  readonly leases: readonly { readonly network: string; readonly state: string; readonly count: number }[] | undefined
  readonly residentBytes: number
  readonly cpuSeconds: number
}

/** 1 ms, doubled up to 16 s. */
const DURATIONS = Array.from({ length: 15 }, (_, i) => 2 ** i / 1000)

export class PodsMetrics {
  readonly #registry = new Registry()
  readonly #metrics: ReturnType<typeof podsMetrics>
  /** Series of networks that have no lease any longer go to 0. */
  readonly #networks = new Set<string>()

  constructor({
    version,
    node,
    startedAt,
  }: { readonly version: string; readonly node: string; readonly startedAt: number }) {
    this.#metrics = podsMetrics(this.#registry)
    this.#metrics.build.set({ version, node }, 1)
    this.#metrics.startedAt.set({}, startedAt / 1000)
  }

  done({ command, plugin, code, tookMs, waitedMs, abandoned }: PodOperation): void {
    const { operations, took, waited, abandonedCalls } = this.#metrics
    operations.add({ command, plugin, code: String(code) })
    took.observe({ command, plugin }, tookMs / 1000)
    waited.observe({ command }, waitedMs / 1000)
    if (abandoned) abandonedCalls.add({ command })
  }

  text({ underWay, leases, residentBytes, cpuSeconds }: CurrentPodNumbers): string {
    this.#metrics.underWay.set({}, underWay)
    this.#metrics.resident.set({}, residentBytes)
    this.#metrics.cpu.follow({}, cpuSeconds)
    this.#metrics.readable.set({}, leases === undefined ? 0 : 1)
    if (leases !== undefined) this.#count(leases)
    return this.#registry.text()
  }

  #count(leases: NonNullable<CurrentPodNumbers['leases']>): void {
    for (const { network } of leases) this.#networks.add(network)
    for (const network of this.#networks) {
      for (const state of ['assigned', 'cooldown']) {
        const found = leases.find(lease => lease.network === network && lease.state === state)
        this.#metrics.leases.set({ network, state }, found?.count ?? 0)
      }
    }
  }
}

function podsMetrics(registry: Registry) {
  const pods = <Name extends string>(name: string, help: string, labels: readonly Name[] = []) => ({
    name: `switchyard_${name}`,
    help,
    ...(labels.length > 0 && { labels }),
  })
  return {
    build: registry.gauge(pods('pods_build_info', 'What is running here.', ['version', 'node'])),
    operations: registry.counter(
      pods('cni_operations_total', 'Calls of plugins, by the code they were answered with: 0 is success.', [
        'command',
        'plugin',
        'code',
      ]),
    ),
    took: registry.histogram(
      DURATIONS,
      pods('cni_operation_duration_seconds', 'From the arrival of a call to its answer.', ['command', 'plugin']),
    ),
    waited: registry.histogram(
      DURATIONS,
      pods('cni_operation_wait_seconds', 'How much of it a call waited for others of its container.', ['command']),
    ),
    abandonedCalls: registry.counter(
      pods('cni_operations_abandoned_total', 'Calls whose caller had gone: not begun, or taken back.', ['command']),
    ),
    underWay: registry.gauge(pods('cni_operations_in_flight', 'Calls that wait or are worked on.')),
    leases: registry.gauge(pods('ipam_leases', 'Addresses by network and state.', ['network', 'state'])),
    readable: registry.gauge(pods('ipam_database_readable', 'Whether the database of leases can be read.')),
    resident: registry.gauge({ name: 'process_resident_memory_bytes', help: 'Resident memory size in bytes.' }),
    cpu: registry.counter({ name: 'process_cpu_seconds_total', help: 'CPU time spent, in seconds.' }),
    startedAt: registry.gauge({
      name: 'process_start_time_seconds',
      help: 'Start time of the process since unix epoch in seconds.',
    }),
  }
}
