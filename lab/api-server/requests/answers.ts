import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { gzipSync } from 'node:zlib'

// What a request is answered with: a document or a Kubernetes Status, as JSON, gzipped where the real API server would.

/** The real API server compresses from this size on, lists and single objects alike, and never a watch. */
const GZIP_FROM_BYTES = 128 * 1024

export const STATUS_REASON: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Expired',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
}

export interface Refusal {
  readonly code: number
  readonly message: string
  readonly reason?: string
  readonly details?: object
  readonly retryAfterSeconds?: number
}

/** Thrown anywhere below a request; becomes its Status answer. */
export class Refused extends Error {
  readonly refusal: Refusal

  constructor(code: number, message: string, more: Omit<Refusal, 'code' | 'message'> = {}) {
    super(message)
    this.name = 'Refused'
    this.refusal = { code, message, ...more }
  }
}

export function status({ code, message, reason = STATUS_REASON[code] ?? 'Unknown', details }: Refusal): object {
  const extra = details === undefined ? {} : { details }
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, ...extra, code }
}

export function refuse(response: ServerResponse, refusal: Refusal): void {
  if (refusal.retryAfterSeconds !== undefined) response.setHeader('retry-after', String(refusal.retryAfterSeconds))
  answer(response, refusal.code, JSON.stringify(status(refusal)))
}

/** Where a connection was to be upgraded, there is no response to write to. */
export function refuseUpgrade(socket: Duplex, refusal: Refusal): void {
  if (socket.destroyed || socket.writableEnded) return
  const body = `${JSON.stringify(status(refusal))}\n`
  const head = [`HTTP/1.1 ${refusal.code} ${STATUS_CODES[refusal.code]}`, 'Content-Type: application/json']
  socket.end([...head, `Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close', '', body].join('\r\n'))
}

/** What is no refusal is an error of this server. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refused) return error.refusal
  return { code: 500, message: String((error as Error)?.stack ?? error) }
}

/** JSON text, or bytes of another type. */
export function answer(
  response: ServerResponse,
  code: number,
  sent: string | Buffer,
  contentType = 'application/json',
): void {
  let body: Buffer = typeof sent === 'string' ? Buffer.from(`${sent}\n`) : sent
  response.setHeader('content-type', contentType)
  response.setHeader('cache-control', 'no-cache, private')
  if (body.length > GZIP_FROM_BYTES && acceptsGzip(response.req)) {
    body = gzipSync(body, { level: 1 })
    response.setHeader('content-encoding', 'gzip')
    response.setHeader('vary', 'accept-encoding')
  }
  response.writeHead(code, { 'content-length': body.length })
  response.end(body)
}

/** `application/json` of `Content-Type: application/json; charset=utf-8`. */
export function mediaType({ headers }: IncomingMessage): string {
  return (headers['content-type'] ?? '').split(';')[0]!.trim()
}

function acceptsGzip(request: IncomingMessage): boolean {
  return /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:,|$))/i.test(String(request.headers['accept-encoding'] ?? ''))
}
