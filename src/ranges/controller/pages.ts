import type { HttpAnswer, HttpRequest } from '#system/sockets.ts'
import { PAGE_NOT_FOUND } from '#system/sockets.ts'

// A path on the controller's port → its numbers, or whether it can do its work.

export interface RangesShown {
  readonly metrics: () => string
  /** Undefined where all is well, also for one that waits for the Lease; otherwise what is wrong. */
  readonly trouble: () => string | undefined
}

export function rangesPage({ path }: Pick<HttpRequest, 'path'>, { metrics, trouble }: RangesShown): HttpAnswer {
  if (path === '/metrics') return page(200, metrics(), 'text/plain; version=0.0.4; charset=utf-8')
  // A new process would wait for the same API server: only one that does not answer at all is better replaced.
  if (path === '/livez') return page(200, 'ok\n')
  if (path !== '/healthz') return PAGE_NOT_FOUND
  const why = trouble()
  return why === undefined ? page(200, 'ok\n') : page(503, `${why}\n`)
}

function page(status: number, body: string, type = 'text/plain; charset=utf-8'): HttpAnswer {
  return { status, headers: { 'Content-Type': type, 'X-Content-Type-Options': 'nosniff' }, body }
}
