import { Registry } from '#telemetry/exposition.ts'
import { RequestMetrics } from './requests.ts'

// What the controller of node ranges does → the numbers of its /metrics. Where kube-controller-manager has a name for a number,
// it is that name, with its spelling.

export interface NodeRangesBuild {
  readonly version: string
  readonly node: string
  /** Milliseconds since 1970. */
  readonly startedAt: number
  /** The Lease's. */
  readonly lease: string
}

export interface RangeNumbers {
  readonly clusterCIDR: string
  readonly total: number
  readonly used: number
  readonly excluded: number
  readonly free: number
  /** In this round. */
  readonly given: number
  readonly released: number
  /** For each block that was given: how many the search for it went past. */
  readonly tries: readonly number[]
}

export interface RoundNumbers {
  readonly result: 'done' | 'partly' | 'failed'
  readonly conflicts: number
  readonly set: number
  readonly refused: number
  readonly failed: number
  readonly recordWrites: number
}

export class NodeRangesMetrics {
  readonly #registry = new Registry()
  readonly #metrics = rangesMetrics(this.#registry)
  /** What a leader alone knows: of one that was, it would be out of date. */
  #current = currentMetrics()
  readonly requests = new RequestMetrics(this.#registry)
  readonly #lease: string
  readonly #reasons = new Set<string>()

  constructor({ version, node, startedAt, lease }: NodeRangesBuild) {
    this.#lease = lease
    this.#metrics.build.set({ version, node }, 1)
    this.#metrics.startedAt.set({}, startedAt / 1000)
  }

  leads(answer: 'yes' | 'no'): void {
    this.#metrics.leader.set({ name: this.#lease }, answer === 'yes' ? 1 : 0)
    this.#current = currentMetrics()
    this.#reasons.clear()
  }

  range({ clusterCIDR, total, used, excluded, free, given, released, tries }: RangeNumbers): void {
    const { allocations, releases } = this.#metrics
    const { max, usage, blocks } = this.#current
    allocations.add({ clusterCIDR }, given)
    releases.add({ clusterCIDR }, released)
    for (const count of tries) this.#metrics.tries.observe({ clusterCIDR }, count)
    max.set({ clusterCIDR }, total)
    usage.set({ clusterCIDR }, total === 0 ? 0 : (used + excluded) / total)
    for (const [state, count] of Object.entries({ used, excluded, free })) blocks.set({ clusterCIDR, state }, count)
  }

  round({ result, conflicts, set, refused, failed, recordWrites }: RoundNumbers): void {
    this.#metrics.rounds.add({ result })
    this.#metrics.conflicts.add({}, conflicts)
    this.#metrics.records.add({}, recordWrites)
    for (const [outcome, count] of Object.entries({ set, refused, failed })) {
      if (count > 0) this.#metrics.patches.add({ outcome }, count)
    }
  }

  /** By reason: how many Nodes have a trouble of this kind now. Those of before that are no more go to 0. */
  findings(counts: ReadonlyMap<string, number>): void {
    for (const reason of counts.keys()) this.#reasons.add(reason)
    for (const reason of this.#reasons) this.#current.findings.set({ reason }, counts.get(reason) ?? 0)
  }

  event(result: 'sent' | 'dropped'): void {
    this.#metrics.events.add({ result })
  }

  text({ residentBytes, cpuSeconds }: { readonly residentBytes: number; readonly cpuSeconds: number }): string {
    this.#metrics.resident.set({}, residentBytes)
    this.#metrics.cpu.follow({}, cpuSeconds)
    return this.#registry.text() + this.#current.registry.text()
  }
}

const CLUSTER = ['clusterCIDR'] as const

function kcm(name: string, help: string) {
  return { name: `node_ipam_controller_${name}`, help: `[ALPHA] ${help}`, labels: CLUSTER }
}

function own<const Name extends string = never>(name: string, help: string, labels: readonly Name[] = []) {
  return { name: `switchyard_ranges_${name}`, help, ...(labels.length > 0 && { labels }) }
}

function ofProcess(name: string, help: string) {
  return { name: `process_${name}`, help }
}

function currentMetrics() {
  const registry = new Registry()
  return {
    registry,
    usage: registry.gauge(kcm('cidrset_usage_cidrs', 'Gauge measuring percentage of allocated CIDRs.')),
    max: registry.gauge(kcm('cirdset_max_cidrs', 'Maximum number of CIDRs that can be allocated.')),
    blocks: registry.gauge(
      own('blocks', 'Blocks of the range of the cluster: used, excluded for Services, or free.', [
        'clusterCIDR',
        'state',
      ]),
    ),
    findings: registry.gauge(
      own(
        'nodes_in_trouble',
        'Nodes that got no range, or whose range is not as it should be, by the reason of the Event.',
        ['reason'],
      ),
    ),
  }
}

function rangesMetrics(registry: Registry) {
  return {
    allocations: registry.counter(
      kcm('cidrset_cidrs_allocations_total', 'Counter measuring total number of CIDR allocations.'),
    ),
    releases: registry.counter(kcm('cidrset_cidrs_releases_total', 'Counter measuring total number of CIDR releases.')),
    tries: registry.histogram(
      [1, 5, 25, 125, 625],
      kcm('cidrset_allocation_tries_per_request', 'Histogram measuring CIDR allocation tries per request.'),
    ),
    leader: registry.gauge({
      name: 'leader_election_master_status',
      help: '[ALPHA] Gauge of if the reporting system is master of the relevant lease, 0 indicates backup, 1 indicates master.',
      labels: ['name'] as const,
    }),
    build: registry.gauge(own('build_info', 'What is running here.', ['version', 'node'])),
    rounds: registry.counter(own('rounds_total', 'Comparisons of all Nodes with the record.', ['result'])),
    records: registry.counter(own('record_writes_total', 'Writes of the record.')),
    conflicts: registry.counter(own('record_conflicts_total', "Writes of the record that came after another's.")),
    patches: registry.counter(own('node_writes_total', 'Writes of podCIDRs, by what became of them.', ['outcome'])),
    events: registry.counter(own('events_total', 'Events for the API server.', ['result'])),
    resident: registry.gauge(ofProcess('resident_memory_bytes', 'Resident memory size in bytes.')),
    cpu: registry.counter(ofProcess('cpu_seconds_total', 'CPU time spent, in seconds.')),
    startedAt: registry.gauge(
      ofProcess('start_time_seconds', 'Start time of the process since unix epoch in seconds.'),
    ),
  }
}
