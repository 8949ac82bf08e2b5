import type { MetricOptions, Registry } from '#telemetry/exposition.ts'

// The metrics of kube-proxy 1.36: its names, labels, buckets and help texts. It has three more: two count packets in nfacct
// objects, which we do not make, and one failures to remove stale chains, which happens with everything else here.

/** 1 ms, doubled up to 16 s. */
const DURATIONS = Array.from({ length: 15 }, (_, i) => 2 ** i / 1000)
/** Quarters of a second, then seconds, then ever longer: how long a change is on its way. */
const PROGRAMMING = [0, 0.25, 0.5, ...steps(1, 59, 1), ...steps(60, 115, 5), ...steps(120, 300, 30)]

export function kubeProxyMetrics(registry: Registry) {
  return {
    ...syncs(registry),
    ...changes(registry),
    ...iptables(registry),
    ...conntrack(registry),
    ...probes(registry),
    noLocalEndpoints: registry.gauge(
      named(
        'sync_proxy_rules_no_local_endpoints_total',
        'Number of services with a Local traffic policy and no endpoints',
        ['traffic_policy', 'ip_family'],
      ),
    ),
    nftFailures: registry.counter(
      named('sync_proxy_rules_nftables_sync_failures_total', 'Cumulative proxy nftables sync failures', ['ip_family']),
    ),
  }
}

function syncs(registry: Registry) {
  const took = (name: string, help: string) => registry.histogram(DURATIONS, named(name, help, ['ip_family']))
  const stamp = (name: string, help: string) => registry.gauge(named(name, help, ['ip_family']))
  const latency = 'SyncProxyRules latency in seconds'
  return {
    sync: took('sync_proxy_rules_duration_seconds', latency),
    full: took('sync_full_proxy_rules_duration_seconds', `${latency} for full resyncs`),
    partial: took('sync_partial_proxy_rules_duration_seconds', `${latency} for partial resyncs`),
    lastSync: stamp('sync_proxy_rules_last_timestamp_seconds', 'The last time proxy rules were successfully synced'),
    lastQueued: stamp(
      'sync_proxy_rules_last_queued_timestamp_seconds',
      'The last time a sync of proxy rules was queued',
    ),
    programming: registry.histogram(
      PROGRAMMING,
      named('network_programming_duration_seconds', 'In Cluster Network Programming Latency in seconds', ['ip_family']),
    ),
  }
}

function changes(registry: Registry) {
  const total = (name: string, what: string) => registry.counter(named(name, `Cumulative proxy rules ${what} changes`))
  const waiting = (name: string, what: string) => registry.gauge(named(name, `Pending proxy rules ${what} changes`))
  return {
    serviceChanges: total('sync_proxy_rules_service_changes_total', 'Service'),
    servicesPending: waiting('sync_proxy_rules_service_changes_pending', 'Service'),
    endpointChanges: total('sync_proxy_rules_endpoint_changes_total', 'Endpoint'),
    endpointsPending: waiting('sync_proxy_rules_endpoint_changes_pending', 'Endpoint'),
  }
}

function iptables(registry: Registry) {
  const rules = (name: string, help: string) => registry.gauge(named(name, help, ['ip_family', 'table']))
  const failures = (name: string, help: string) => registry.counter(named(name, help, ['ip_family']))
  return {
    rules: rules('sync_proxy_rules_iptables_total', 'Total number of iptables rules owned by kube-proxy'),
    rulesWritten: rules(
      'sync_proxy_rules_iptables_last',
      'Number of iptables rules written by kube-proxy in last sync',
    ),
    restoreFailures: failures(
      'sync_proxy_rules_iptables_restore_failures_total',
      'Cumulative proxy iptables restore failures',
    ),
    partialFailures: failures(
      'sync_proxy_rules_iptables_partial_restore_failures_total',
      'Cumulative proxy iptables partial restore failures',
    ),
  }
}

function conntrack(registry: Registry) {
  return {
    conntrack: registry.histogram(
      DURATIONS,
      named('conntrack_reconciler_sync_duration_seconds', 'ReconcileConntrackFlowsLatency latency in seconds', [
        'ip_family',
      ]),
    ),
    conntrackDeleted: registry.counter(
      named(
        'conntrack_reconciler_deleted_entries_total',
        'Cumulative conntrack flows deleted by conntrack reconciler',
        ['ip_family'],
      ),
    ),
  }
}

function probes(registry: Registry) {
  return {
    healthz: registry.counter(named('proxy_healthz_total', 'Cumulative proxy healthz HTTP status', ['code'])),
    livez: registry.counter(named('proxy_livez_total', 'Cumulative proxy livez HTTP status', ['code'])),
  }
}

function named<const Name extends string = never>(
  name: string,
  help: string,
  labels: readonly Name[] = [],
): MetricOptions<Name> {
  return { name: `kubeproxy_${name}`, help: `[ALPHA] ${help}`, labels }
}

function steps(first: number, last: number, step: number): readonly number[] {
  return Array.from({ length: (last - first) / step + 1 }, (_, i) => first + i * step)
}
