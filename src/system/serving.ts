import type { Clock } from './ports.ts'
import { type HttpListener, type HttpResponder, serveHttp } from './sockets.ts'

// An address and port → a server there until the signal aborts, however many tries its port takes.

export interface ServingParts {
  readonly at: Where
  readonly answer: HttpResponder
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Called each time the port cannot be opened; the next try comes after RETRY_MS, unless this throws. */
  readonly failed: (error: unknown) => void
  readonly opened: (port: number) => void
}

/** Without a host: every address of both families. */
export interface Where {
  readonly host?: string
  readonly port: number
}

export const RETRY_MS = 5000

/** A configured address. `::` and `0.0.0.0` both mean all addresses of both families, as in Go: probes use either. */
export function configuredWhere({ host, port }: { readonly host: string; readonly port: number }): Where {
  return host === '0.0.0.0' || host === '::' ? { port } : { host, port }
}

/** A port that is taken is tried again: losing probes is bad, losing the proxy is worse. */
export async function serveUntilAborted({ at, answer, clock, signal, failed, opened }: ServingParts): Promise<void> {
  while (!signal.aborted) {
    const server = await serveHttp(at, answer).catch(failed)
    if (server) {
      opened(server.port)
      return closeOn(signal, server)
    }
    await clock.sleep(RETRY_MS, signal)
  }
}

async function closeOn(signal: AbortSignal, server: HttpListener): Promise<void> {
  if (!signal.aborted) await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
  await server.close()
}
