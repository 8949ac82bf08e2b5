import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { isIPv6 } from 'node:net'

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
  /** Goes on after the body, until it resolves or the other side has gone; no length is announced then. */
  readonly stream?: (to: HttpStream) => Promise<void>
}

/** An answer that goes on. */
export interface HttpStream {
  write(text: string): void
  /** The other side has not read yet what was written. */
  readonly isBehind: boolean
  /** Aborts when the other side has gone, or the server closes. */
  readonly closed: AbortSignal
}

export interface HttpListener {
  readonly port: number
  close(): Promise<void>
}

export type HttpResponder = (request: HttpRequest) => HttpAnswer | Promise<HttpAnswer>

const TEXT = { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' }

/**
 * `host` absent means every address, of both families where the host has both; `::` means every IPv6 address, and no
 * other. Rejects where the port cannot be had.
 */
export function serveHttp(
  at: { readonly host?: string; readonly port: number },
  answer: HttpResponder,
): Promise<HttpListener> {
  const server = createServer((request, response) => void respond(answer, request, response))
  server.requestTimeout = 10_000
  const where = at.host !== undefined && { host: at.host, ipv6Only: isIPv6(at.host) }
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port: at.port, ...where }, () => {
      server.off('error', reject)
      // EMFILE on accept must not crash the process: the next connection may find a free descriptor.
      server.on('error', () => {})
      server.unref()
      resolve({ port: portOf(server), close: () => close(server) })
    })
  })
}

/** The answer for every path that has no page. */
export const PAGE_NOT_FOUND: HttpAnswer = { status: 404, headers: TEXT, body: '404 page not found\n' }

export async function respond(
  answer: HttpResponder,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  request.resume()
  const { status, headers = {}, body, stream } = await settled(answer, request)
  if (stream !== undefined && request.method !== 'HEAD') {
    response.writeHead(status, headers)
    return streamed(stream, body, response)
  }
  response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) })
  response.end(request.method === 'HEAD' ? undefined : body)
}

async function streamed(
  stream: NonNullable<HttpAnswer['stream']>,
  body: string,
  response: ServerResponse,
): Promise<void> {
  const end = new AbortController()
  response.on('close', () => end.abort())
  // While the answer was made, the other side may have gone.
  if (response.closed) end.abort()
  response.flushHeaders()
  if (body !== '') response.write(body)
  const to: HttpStream = {
    write: text => void response.write(text),
    get isBehind() {
      return response.writableNeedDrain
    },
    closed: end.signal,
  }
  try {
    await stream(to)
    response.end()
  } catch {
    // What was begun as a good answer must not look like one that has ended.
    response.destroy()
  }
}

/** A page that fails, or a request that makes no sense, must neither end the agent nor leave a probe waiting. */
async function settled(
  answer: HttpResponder,
  { method = 'GET', url = '/', headers }: IncomingMessage,
): Promise<HttpAnswer> {
  const parsed = URL.parse(url.startsWith('/') ? `http://localhost${url}` : url)
  if (parsed === null) return { status: 400, headers: TEXT, body: '400 Bad Request\n' }
  try {
    return await answer({ method, path: parsed.pathname, query: parsed.searchParams, headers })
  } catch (error) {
    return { status: 500, headers: TEXT, body: `${String(error)}\n` }
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
