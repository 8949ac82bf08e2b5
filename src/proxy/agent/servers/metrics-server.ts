import type { Settings } from '#config/settings.ts'
import { isPagePath } from '#page/paths.ts'
import type { Clock } from '#system/ports.ts'
import { configuredWhere, serveUntilAborted } from '#system/serving.ts'
import { type HttpResponder, PAGE_NOT_FOUND } from '#system/sockets.ts'
import type { Log } from '#telemetry/log/klog.ts'
import { pageAt, type Shown } from '#telemetry/server.ts'
import { hostPort } from '#values/address.ts'
import type { Profiles } from './profiles.ts'

// The agent's numbers and settings → /metrics and the pages beside it, on the port that scrapers ask.

export interface MetricsServerParts {
  readonly settings: Pick<Settings, 'metrics' | 'bindAddressHardFail'>
  readonly shown: Shown
  /** Absent where they are turned off. */
  readonly profiles?: Pick<Profiles, 'answer'>
  /** The page for people; absent where it is turned off. */
  readonly page?: HttpResponder
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
}

/** Serves until the signal aborts; rejects only where bindAddressHardFail is set and the port cannot be opened. */
export async function serveMetrics({
  settings,
  shown,
  profiles,
  page,
  clock,
  log,
  signal,
}: MetricsServerParts): Promise<void> {
  const { metrics: at } = settings
  if (at === undefined) return
  await serveUntilAborted({
    at: configuredWhere(at),
    answer: request =>
      pageAt(shown, request) ??
      profiles?.answer(request) ??
      (isPagePath(request.path) ? page?.(request) : undefined) ??
      PAGE_NOT_FOUND,
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
