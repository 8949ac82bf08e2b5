import { createServer, type Server } from 'node:http'

// Small HTTP servers for probes and scrapers. Every request is answered by a function; nothing is read from the body.

export interface HttpRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
}

export interface HttpAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
}

export interface Listening {
  readonly port: number
  close(): Promise<void>
}

/** `host` absent means every address, of both families where the host has both. Rejects where the port cannot be had. */
export function serveHttp(
  at: { readonly host?: string; readonly port: number },
  answer: (request: HttpRequest) => HttpAnswer | Promise<HttpAnswer>,
): Promise<Listening> {
  const server = createServer(async (request, response) => {
    request.resume()
    const url = new URL(request.url ?? '/', 'http://localhost')
    const asked = {
      method: request.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
    }
    const { status, headers = {}, body } = await settled(answer, asked)
    response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) })
    response.end(request.method === 'HEAD' ? undefined : body)
  })
  server.requestTimeout = 10_000
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port: at.port, ...(at.host !== undefined && { host: at.host }) }, () => {
      server.off('error', reject)
      server.unref()
      resolve({ port: portOf(server), close: () => close(server) })
    })
  })
}

/** An answer that fails must not take the agent down, nor leave a probe waiting. */
async function settled(
  answer: (request: HttpRequest) => HttpAnswer | Promise<HttpAnswer>,
  request: HttpRequest,
): Promise<HttpAnswer> {
  try {
    return await answer(request)
  } catch (error) {
    return { status: 500, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body: `${String(error)}\n` }
  }
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function close(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
