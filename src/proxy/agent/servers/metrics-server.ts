import type { Settings } from '#config/settings.ts'
import type { Clock } from '#system/ports.ts'
import { PAGE_NOT_FOUND } from '#system/sockets.ts'
import type { Log } from '#telemetry/log/klog.ts'
import { pageAt, type Shown } from '#telemetry/server.ts'
import { hostPort } from '#values/address.ts'
import { configuredWhere, serveUntilAborted } from './serving.ts'

// The agent's numbers and settings → /metrics and the pages beside it, on the port that scrapers ask.

export interface MetricsServerParts {
  readonly settings: Pick<Settings, 'metrics' | 'bindAddressHardFail'>
  readonly shown: Shown
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
}

/** Serves until the signal aborts; rejects only where bindAddressHardFail is set and the port cannot be opened. */
export async function serveMetrics({ settings, shown, clock, log, signal }: MetricsServerParts): Promise<void> {
  const { metrics: at } = settings
  if (at === undefined) return
  await serveUntilAborted({
    at: configuredWhere(at),
    answer: request => pageAt(shown, request) ?? PAGE_NOT_FOUND,
    clock,
    signal,
    opened: port => log.info(3, 'Starting metrics HTTP server', { address: hostPort(at.host, port) }),
    failed: cause => {
      const error = new Error(`starting metrics server failed on ${hostPort(at.host, at.port)}`, { cause })
      if (settings.bindAddressHardFail) throw new Error('metrics server failed', { cause: error })
      log.error('Metrics server failed', error)
    },
  })
}
