import type { MetricOptions, Registry } from '#telemetry/exposition.ts'

// Our own metrics: their names, labels and what they mean.

/** 1 ms, doubled up to 32 s: kube-proxy's buckets and one more, because a first sync of a huge cluster may take so long. */
const DURATIONS = Array.from({ length: 16 }, (_, i) => 2 ** i / 1000)

export function ownMetrics(registry: Registry) {
  return {
    ...syncs(registry),
    ...drawn(registry),
    ...commands(registry),
    ...watching(registry),
    build: registry.gauge(named('build_info', 'What is running here.', ['version', 'node', 'mode'])),
    events: registry.counter(named('events_total', 'Kubernetes Events sent or dropped.', ['result'])),
    healthChecks: registry.gauge(
      named('health_check_servers', 'Servers for healthCheckNodePort that are open, or wait for their port.', [
        'state',
      ]),
    ),
  }
}

function syncs(registry: Registry) {
  const counter = (name: string, help: string) => registry.counter(named(name, help, ['ip_family']))
  return {
    syncs: registry.counter(named('syncs_total', 'Syncs, failed ones too.', ['ip_family', 'mode', 'result'])),
    stages: registry.histogram(
      DURATIONS,
      named('sync_stage_duration_seconds', 'Where the time of a sync went.', ['ip_family', 'stage']),
    ),
    looks: counter('sync_looks_total', 'Syncs that read the kernel first, because memory was not trusted.'),
    drift: counter('drift_units_total', 'Units that another program had changed or removed, and that were restored.'),
    repairs: counter('drift_repairs_total', 'Syncs that restored such units.'),
    flows: counter('flows_forgotten_total', 'Connections that the kernel was made to forget.'),
    flowFailures: counter('flow_failures_total', 'Syncs after which stale connections could not be forgotten.'),
  }
}

function drawn(registry: Registry) {
  const ofChange = ['ip_family', 'change'] as const
  return {
    unitsChanged: registry.counter(named('sync_units_total', 'Units that syncs added, changed or removed.', ofChange)),
    unitsLast: registry.gauge(named('sync_units_last', 'The same for the last successful sync.', ofChange)),
    units: registry.gauge(named('units', 'Units that should be in the kernel.', ['ip_family'])),
    refused: registry.gauge(
      named('refused_service_ports', 'Service ports whose rules the kernel refuses, while all others are written.', [
        'ip_family',
      ]),
    ),
    lostClaims: registry.gauge(
      named('lost_claims', 'Addresses and ports that a Service asks for and another one has.', ['ip_family']),
    ),
  }
}

function commands(registry: Registry) {
  return {
    commands: registry.counter(named('sync_commands_total', 'Commands that wrote to the kernel.', ['ip_family'])),
    bytes: registry.counter(named('sync_bytes_total', 'What these commands were given to read.', ['ip_family'])),
    commandTook: registry.histogram(
      DURATIONS,
      named('command_duration_seconds', 'How long programs ran, whatever for.', ['program']),
    ),
    commandsFailed: registry.counter(
      named('command_failures_total', 'Programs that ended with another status than 0.', ['program']),
    ),
  }
}

function watching(registry: Registry) {
  const counter = (name: string, help: string) => registry.counter(named(name, help, ['resource']))
  const gauge = (name: string, help: string) => registry.gauge(named(name, help, ['resource']))
  return {
    lists: counter('watch_lists_total', 'Times that all objects were listed.'),
    watches: counter('watches_total', 'Watches that were opened: all but the first are restarts.'),
    watchFailures: counter('watch_failures_total', 'Lists and watches that ended with any error.'),
    watchTroubles: registry.counter(
      named(
        'watch_troubles_total',
        'Why they did: the history was gone (410), nothing was heard, something could not be read.',
        ['resource', 'reason'],
      ),
    ),
    watchObjects: gauge('watch_objects', 'Objects that are known.'),
    watchHeard: gauge('watch_heard_timestamp_seconds', 'When the API server was last heard of.'),
  }
}

function named<const Name extends string = never>(
  name: string,
  help: string,
  labels: readonly Name[] = [],
): MetricOptions<Name> {
  return { name: `switchyard_${name}`, help, labels }
}
