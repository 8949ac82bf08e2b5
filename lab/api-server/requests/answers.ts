import type { IncomingMessage, ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { parse } from 'yaml'

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

export function answer(response: ServerResponse, code: number, json: string): void {
  let body: Buffer = Buffer.from(`${json}\n`)
  response.setHeader('content-type', 'application/json')
  response.setHeader('cache-control', 'no-cache, private')
  if (body.length > GZIP_FROM_BYTES && acceptsGzip(response.req)) {
    body = gzipSync(body, { level: 1 })
    response.setHeader('content-encoding', 'gzip')
    response.setHeader('vary', 'accept-encoding')
  }
  response.writeHead(code, { 'content-length': body.length })
  response.end(body)
}

/** One of the clauses of Accept must be plain JSON: this server speaks neither protobuf nor tables. */
export function acceptsJson(accept: string | undefined): boolean {
  if (accept === undefined || accept.trim() === '') return true
  return accept.split(',').some(clause => {
    const [type = '', ...parameters] = clause.split(';').map(part => part.trim().toLowerCase())
    return /^(application\/json|application\/\*|\*\/\*)$/.test(type) && !parameters.some(it => it.startsWith('as='))
  })
}

/** The whole body, undefined where it is empty. What is neither JSON nor YAML is 415, as with the real server. */
export async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const type = mediaType(request) || 'application/json'
  const [, form] = /^application\/(?:.+\+)?(json|yaml)$/.exec(type) ?? []
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString('utf8')
  if (text === '') return undefined
  if (form === undefined) {
    throw new Refused(
      415,
      `the body of the request is ${JSON.stringify(type)}, and only JSON and YAML are understood here`,
    )
  }
  try {
    return form === 'json' ? JSON.parse(text) : parse(text)
  } catch (error) {
    throw new Refused(400, `the body of the request is not ${form.toUpperCase()}: ${(error as Error).message}`)
  }
}

/** `application/json` of `Content-Type: application/json; charset=utf-8`. */
export function mediaType({ headers }: IncomingMessage): string {
  return (headers['content-type'] ?? '').split(';')[0]!.trim()
}

function acceptsGzip(request: IncomingMessage): boolean {
  return /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:,|$))/i.test(String(request.headers['accept-encoding'] ?? ''))
}
