import { isPagePath } from '#page/paths.ts'
import type { Clock } from '#system/ports.ts'
import { configuredWhere, serveUntilAborted } from '#system/serving.ts'
import { type HttpAnswer, type HttpRequest, type HttpResponder, PAGE_NOT_FOUND } from '#system/sockets.ts'
import type { Log } from '#telemetry/log/klog.ts'
import { type Address, hostPort } from '#values/address.ts'

// A path on the daemon's port → its numbers, or whether it can do its work.

export interface PodsShown {
  readonly metrics: () => Promise<string>
  /** Undefined where calls can be answered; otherwise why not. */
  readonly trouble: () => Promise<string | undefined>
}

export async function podsPage(
  { path }: Pick<HttpRequest, 'path'>,
  { metrics, trouble }: PodsShown,
): Promise<HttpAnswer> {
  if (path === '/metrics') return page(200, await metrics(), 'text/plain; version=0.0.4; charset=utf-8')
  // A new process would have the same database before it: only one that does not answer at all is better replaced.
  if (path === '/livez') return page(200, 'ok\n')
  if (path !== '/healthz') return PAGE_NOT_FOUND
  const why = await trouble()
  return why === undefined ? page(200, 'ok\n') : page(503, `${why}\n`)
}

function page(status: number, body: string, type = 'text/plain; charset=utf-8'): HttpAnswer {
  return { status, headers: { 'Content-Type': type, 'X-Content-Type-Options': 'nosniff' }, body }
}

export interface PageServing {
  /** Absent: turned off. */
  readonly at: { readonly host: Address; readonly port: number } | undefined
  readonly shown: PodsShown
  /** The page for people; absent where it is turned off. */
  readonly page?: HttpResponder | undefined
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
}

/** A port that is taken is tried again: pods are attached without numbers, too. */
export async function servePages({ at, shown, page, clock, log, signal }: PageServing): Promise<void> {
  if (at === undefined) return
  const address = (port: number): string => hostPort(at.host, port)
  await serveUntilAborted({
    at: configuredWhere(at),
    answer: request => (page !== undefined && isPagePath(request.path) ? page(request) : podsPage(request, shown)),
    clock,
    signal,
    opened: port => log.info(1, 'Serving metrics', { address: address(port) }),
    failed: error => log.error('Metrics server failed', error, { address: address(at.port) }),
  })
}
