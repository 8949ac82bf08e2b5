import type { IncomingMessage, ServerResponse } from 'node:http'

// A request over HTTP → the answer of the program in a pod. Paths are those of agnhost, as far as they go.

export interface Page {
  readonly status: number
  readonly text: string
  /** The program is to end with this status. */
  readonly exit?: number
}

export function pageAt(url: URL, { name, client }: { readonly name: string; readonly client: string }): Page {
  switch (url.pathname) {
    case '/':
    case '/hostname':
      return { status: 200, text: name }
    case '/healthz':
    case '/readyz':
      return { status: 200, text: 'ok' }
    case '/clientip':
      return { status: 200, text: client }
    case '/echo':
      return { status: 200, text: url.searchParams.get('msg') ?? '' }
    case '/exit':
      return exitPage(url.searchParams.get('code') ?? '0')
    default:
      return { status: 404, text: `${name} has no ${url.pathname}: there are ${PATHS}` }
  }
}

const PATHS = '/ /hostname /healthz /readyz /clientip /echo?msg=TEXT /exit?code=NUMBER'

function exitPage(code: string): Page {
  const exit = /^\d{1,3}$/.test(code) ? Number(code) : 256
  if (exit > 255) return { status: 400, text: `code: ${JSON.stringify(code)} is not a number from 0 to 255` }
  return { status: 200, text: `exit ${exit}`, exit }
}

/** `last`: the connection ends with this answer, since the program is about to. */
export function sendPage(request: IncomingMessage, response: ServerResponse, page: Page, last: 'last' | 'more'): void {
  const body = `${page.text}\n`
  response.writeHead(page.status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    ...(last === 'last' && { connection: 'close' }),
  })
  response.end(request.method === 'HEAD' ? '' : body)
}
