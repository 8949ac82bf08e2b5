import { engineNumbers } from '#command-line/engine-numbers.ts'
import { VERSION } from '#command-line/version.ts'
import type { RangesSettings } from '#config/settings.ts'
import type { ClusterRange } from '#ipam/nodes/blocks/cluster-ranges.ts'
import type { RangesLoopLimits } from '#ipam/nodes/ranges-loop.ts'
import { recordStore } from '#ipam/nodes/record/record-store.ts'
import type { Credentials } from '#kubernetes/access/credentials.ts'
import { EventWriter } from '#kubernetes/event-writer.ts'
import { watchSource } from '#kubernetes/sources/api-source.ts'
import { ApiTransport } from '#kubernetes/transport.ts'
import { ALL_NODES } from '#kubernetes/watch/resources.ts'
import { Leadership } from '#kubernetes/writes/leadership.ts'
import { LeaseObject } from '#kubernetes/writes/lease.ts'
import { StoredText } from '#kubernetes/writes/stored-text.ts'
import type { Clock } from '#system/ports.ts'
import { configuredWhere, serveUntilAborted } from '#system/serving.ts'
import { processStartedAt, vitals } from '#system/vitals.ts'
import type { Log } from '#telemetry/log/klog.ts'
import { logNotices } from '#telemetry/log/kubernetes.ts'
import { NodeRangesMetrics } from '#telemetry/numbers/node-ranges.ts'
import { hostPort } from '#values/address.ts'
import { lead } from './lead.ts'
import { rangesPage } from './pages.ts'
import { RangesReporter } from './reporter.ts'

// Settings and an API server → the controller of node ranges with its Lease, Events, metrics and probes, until it is stopped.

/** The ConfigMap, in the namespace of the Lease. */
export const RECORD = { name: 'switchyard-node-ranges', key: 'record' } as const

export interface NodeRangesParts {
  readonly ranges: readonly ClusterRange[]
  readonly settings: RangesSettings
  readonly credentials: Credentials
  readonly hostname: string
  /** Of this process alone. */
  readonly identity: string
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  readonly limits?: Partial<RangesLoopLimits>
}

/** A round that is still under way then is left to itself: whatever arrives of it later is safe. */
const PATIENCE_MS = 4000

/** Resolves when the signal has aborted, the round under way is done, and the Lease is given back. */
export async function serveNodeRanges(parts: NodeRangesParts, signal: AbortSignal): Promise<void> {
  const { settings, credentials, clock, random, log, hostname, identity } = parts
  const { leader } = settings
  const metrics = new NodeRangesMetrics({
    ...{ version: VERSION, node: process.version, startedAt: processStartedAt(), lease: leader.name },
  })
  const observer = {
    now: () => clock.now(),
    requested: metrics.requests.requested.bind(metrics.requests),
    finished: metrics.requests.finished.bind(metrics.requests),
  }
  const transport = new ApiTransport({ credentials, observer })
  const requests = { transport, clock }
  const events = new EventWriter({
    ...requests,
    onFate: ({ result, event, ...fate }) => {
      metrics.event(result)
      if ('why' in fate) log.info(2, 'Event was not sent', { reason: event.reason, note: event.note, why: fate.why })
    },
  })
  const { namespace } = leader
  const reporter = new RangesReporter({
    ...{ hostname, identity, clock, log, events, metrics },
    record: { namespace, name: RECORD.name },
    lease: { namespace, name: leader.name },
  })
  const work = (until: AbortSignal): Promise<void> =>
    withPatience(
      lead(
        {
          ...{ ...parts, requests, reporter, cooldownMs: settings.cooldownMs },
          store: recordStore(new StoredText({ ...requests, namespace, ...RECORD })),
          source: watchSource({
            ...{ credentials, clock, random, observer, resources: [ALL_NODES] },
            onNotice: logNotices(log, 'Nodes keep the ranges they have'),
          }),
        },
        until,
      ),
      { clock, until },
    )
  const stop = new AbortController()
  const until = AbortSignal.any([signal, stop.signal])
  const pages = servePages({ settings, clock, log, metrics, reporter }, until)
  try {
    if (leader.elect) {
      metrics.leads('no')
      await elected({ leader, identity, requests, random, reporter }).run(work, signal)
    } else {
      reporter.unelected()
      await work(signal)
    }
  } finally {
    stop.abort()
    await Promise.all([pages, events.close()])
    await transport.close()
  }
}

interface ElectedParts {
  readonly leader: RangesSettings['leader']
  readonly identity: string
  readonly requests: { readonly transport: ApiTransport; readonly clock: Clock }
  readonly random: () => number
  readonly reporter: RangesReporter
}

function elected({ leader, identity, requests, random, reporter }: ElectedParts): Leadership {
  const { namespace, name } = leader
  // Two tries fit into the time after which a leader stops.
  const lease = new LeaseObject({ ...requests, namespace, name, withinMs: leader.renewMs / 2 })
  return new Leadership({
    ...{ lease, identity, random, periods: leader, clock: requests.clock },
    onChange: change => reporter.leadership(change),
  })
}

async function withPatience(
  work: Promise<void>,
  { clock, until }: { readonly clock: Clock; readonly until: AbortSignal },
): Promise<void> {
  const done = new AbortController()
  const aborted = new Promise<void>(resolve => {
    until.addEventListener('abort', () => resolve(), { once: true })
  })
  const patience = aborted.then(() => clock.sleep(PATIENCE_MS, done.signal))
  await Promise.race([work, patience]).finally(() => done.abort())
}

interface PageParts extends Pick<NodeRangesParts, 'settings' | 'clock' | 'log'> {
  readonly metrics: NodeRangesMetrics
  readonly reporter: RangesReporter
}

/** A port that is taken is tried again: ranges are given without numbers, too. */
async function servePages({ settings, clock, log, metrics, reporter }: PageParts, signal: AbortSignal): Promise<void> {
  const at = settings.metrics
  if (at === undefined) return
  const engine = engineNumbers()
  const shown = { metrics: () => metrics.text(vitals()) + engine(), trouble: () => reporter.trouble() }
  await serveUntilAborted({
    at: configuredWhere(at),
    answer: request => rangesPage(request, shown),
    ...{ clock, signal },
    opened: port => log.info(1, 'Serving metrics', { address: hostPort(at.host, port) }),
    failed: error => log.error('Metrics server failed', error, { address: hostPort(at.host, at.port) }),
  })
}
