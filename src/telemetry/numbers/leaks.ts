import { Registry } from '#telemetry/exposition.ts'

// What rounds over the leases find, and what becomes of leases of DHCP servers → numbers of /metrics.

export interface LeakNumbers {
  readonly suspects: number
  readonly leaked: number
  readonly conflicts: number
  /** How many were leaked, and not so in the round before; by network. */
  readonly found: ReadonlyMap<string, number>
  readonly freed: ReadonlyMap<string, number>
  readonly failedWitnesses: readonly string[]
  readonly tookMs: number
}

export class LeakMetrics {
  readonly #registry = new Registry()
  readonly #metrics: ReturnType<typeof leakMetrics>

  constructor() {
    this.#metrics = leakMetrics(this.#registry)
  }

  round({ suspects, leaked, conflicts, found, freed, failedWitnesses, tookMs }: LeakNumbers): void {
    const metrics = this.#metrics
    metrics.rounds.add({ result: 'done' })
    metrics.roundSeconds.set({}, tookMs / 1000)
    metrics.suspects.set({}, suspects)
    metrics.leaked.set({}, leaked)
    metrics.conflicts.set({}, conflicts)
    for (const [network, count] of found) metrics.found.add({ network }, count)
    for (const [network, count] of freed) metrics.freed.add({ network }, count)
    for (const witness of failedWitnesses) metrics.witnessFailures.add({ witness })
  }

  roundFailed(): void {
    this.#metrics.rounds.add({ result: 'failed' })
  }

  renewed(outcome: string): void {
    this.#metrics.renewals.add({ outcome })
  }

  rewritten(kind: string, result: 'written' | 'failed'): void {
    this.#metrics.rewrites.add({ kind, result })
  }

  text(): string {
    return this.#registry.text()
  }
}

function leakMetrics(registry: Registry) {
  const ipam = <Name extends string>(name: string, help: string, labels: readonly Name[] = []) => ({
    name: `switchyard_${name}`,
    help,
    ...(labels.length > 0 && { labels }),
  })
  return {
    rounds: registry.counter(
      ipam('ipam_leak_rounds_total', 'Rounds in which leases were compared with what uses them.', ['result']),
    ),
    roundSeconds: registry.gauge(ipam('ipam_leak_round_duration_seconds', 'How long the last round took.')),
    suspects: registry.gauge(ipam('ipam_suspect_attachments', 'Attachments with leases that no witness named lately.')),
    leaked: registry.gauge(ipam('ipam_leaked_attachments', 'Attachments with leases that are leaked and not freed.')),
    conflicts: registry.gauge(ipam('ipam_conflicts', 'Addresses in use by a pod that has no lease of them.')),
    found: registry.counter(ipam('ipam_leaks_found_total', 'Attachments whose leases were found leaked.', ['network'])),
    freed: registry.counter(ipam('ipam_leaks_freed_total', 'Leaked attachments that were taken back.', ['network'])),
    witnessFailures: registry.counter(
      ipam('ipam_witness_failures_total', 'Rounds in which a witness could not look at all that it was asked of.', [
        'witness',
      ]),
    ),
    rewrites: registry.counter(
      ipam('cni_rules_rewritten_total', 'Rules of attachments that another program had removed, written anew.', [
        'kind',
        'result',
      ]),
    ),
    renewals: registry.counter(
      ipam('dhcp_renewals_total', 'What became of leases of DHCP servers that were due.', ['outcome']),
    ),
  }
}
