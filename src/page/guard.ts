import type { HttpAnswer, HttpRequest } from '#system/sockets.ts'

// A request → why the page does not answer it, if so; and the headers that keep other pages out of this one.

export interface GuardOptions {
  /** At a loopback address only programs of this node are meant: see `isOwnHost`. */
  readonly isLoopback: boolean
}

export function refusal({ method, headers }: HttpRequest, { isLoopback }: GuardOptions): HttpAnswer | undefined {
  if (method !== 'GET' && method !== 'HEAD')
    return plain(405, 'The page only reads: GET and HEAD.', { Allow: 'GET, HEAD' })
  // Another site may lead here by a link, and have nothing else of it: not even the work of an answer that it cannot read.
  if (headers['sec-fetch-site'] === 'cross-site' && headers['sec-fetch-mode'] !== 'navigate') {
    return plain(403, 'The page is for people who open it, and not for other sites.')
  }
  if (isLoopback && !isOwnHost(headers.host)) {
    return plain(421, 'The page of this node answers to localhost or an address, and to no other name.')
  }
  return undefined
}

/**
 * A page of another site can have its name resolved to 127.0.0.1, and would then read this one as its own. It cannot have the name
 * localhost, nor an address.
 */
function isOwnHost(host: unknown): boolean {
  return typeof host === 'string' && /^(?:localhost|\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i.test(host)
}

export function plain(status: number, sentence: string, more: Readonly<Record<string, string>> = {}): HttpAnswer {
  return {
    status,
    headers: { ...PAGE_HEADERS, 'Content-Type': 'text/plain; charset=utf-8', ...more },
    body: `${sentence}\n`,
  }
}

const POLICY = [
  "default-src 'none'",
  ...["style-src 'self'", "script-src 'self'", "img-src 'self'", "connect-src 'self'"],
  ...["form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"],
]

export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': POLICY.join('; '),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
}
