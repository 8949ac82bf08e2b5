import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FaultAction, FaultScope, RequestKind } from '#lab/api-server/fault-plan.ts'
import { acceptsJson, answer, bodyOf, Refused } from './answers.ts'
import { discovery } from './discovery.ts'
import { expired, listPage } from './reads/list.ts'
import { Watch, type WatchParts } from './reads/watch.ts'
import { notServed } from './refusals.ts'
import { type Target, targetOf } from './resources.ts'
import { matcher } from './selectors.ts'
import { ApiWrites } from './writes/writes.ts'

// One HTTP request → its answer: which verb it is, which injected fault strikes it, and what answers it.

export interface RequestParts extends WatchParts {
  opened(watch: Watch, response: ServerResponse): void
}

const VERSION = {
  major: '1',
  minor: '36',
  gitVersion: 'v1.36.0-switchyard-sandbox',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: '',
  platform: 'linux',
}

export class ApiRequests {
  readonly #parts: RequestParts
  readonly #writes: ApiWrites

  constructor(parts: RequestParts) {
    this.#parts = parts
    this.#writes = new ApiWrites(parts.store)
  }

  async answer(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const { pathname } = url
    if (/^\/(healthz|livez|readyz)(\/|$)/.test(pathname)) return plain(response, 'ok')
    if (pathname === '/version') return answer(response, 200, JSON.stringify(VERSION))
    if (!acceptsJson(request.headers.accept)) {
      throw new Refused(406, 'only the following media types are accepted: application/json')
    }
    const document = request.method === 'GET' ? discovery(pathname.replace(/(.)\/$/, '$1')) : undefined
    if (document !== undefined) return answer(response, 200, JSON.stringify(document))
    const target = targetOf(pathname)
    if (target === undefined) throw notServed()
    const scope = { on: kindOf(request, url, target), resource: target.resource.plural }
    if (this.#isStalled(scope)) return
    if (scope.on === 'watch') return this.#watch(target, scope, url, response)
    if (scope.on === 'list') return this.#list(target, scope, url, response)
    const body = request.method === 'GET' ? undefined : await bodyOf(request)
    const { code, text } = this.#writes.answer({ request, target, body, query: url.searchParams })
    answer(response, code, text)
  }

  /** Faults that strike before anything is answered: true where there will be no answer at all. */
  #isStalled(scope: FaultScope): boolean {
    const fault = this.#parts.faults.take(scope, ['status', 'stall'], it => it.do === 'status' || it.at === 'headers')
    if (fault?.do !== 'status') return fault !== undefined
    const { code, message = `the API server answers ${code}`, retryAfterSeconds } = fault
    throw new Refused(code, message, retryAfterSeconds === undefined ? {} : { retryAfterSeconds })
  }

  #watch(
    { resource, namespace, name }: Target,
    scope: FaultScope,
    { searchParams }: URL,
    response: ServerResponse,
  ): void {
    const fields = [searchParams.get('fieldSelector'), name && `metadata.name=${name}`].filter(Boolean).join(',')
    const matches = matcher(searchParams.get('labelSelector'), fields)
    const watch = new Watch({ scope, resource, namespace, matches, query: searchParams }, this.#parts, response)
    this.#parts.opened(watch, response)
    watch.start()
  }

  #list(
    { resource, namespace }: Target,
    scope: FaultScope,
    { searchParams: query }: URL,
    response: ServerResponse,
  ): void {
    const { store, faults } = this.#parts
    if (query.get('continue') && faults.take(scope, ['expire-continue'])) throw expired('continue')
    const [labels, fields] = [query.get('labelSelector'), query.get('fieldSelector')]
    const matches = matcher(labels, fields)
    const text = listPage(store, { resource, namespace, matches, query, selective: Boolean(labels || fields) })
    const fault = faults.take(
      scope,
      ['close', 'reset', 'truncate', 'stall'],
      it => it.do !== 'stall' || it.at !== 'headers',
    )
    if (fault === undefined) answer(response, 200, text)
    else if (fault.do === 'close') response.destroy()
    else this.#sendHalf(response, text, fault)
  }

  /** Announces the whole list and sends half of it. */
  #sendHalf(
    response: ServerResponse,
    text: string,
    fault: Extract<FaultAction, { do: 'reset' | 'truncate' | 'stall' }>,
  ): void {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) + 1 })
    response.flushHeaders()
    if (fault.do === 'stall' && fault.at === 'body') return
    response.write(text.slice(0, text.length / 2), () => {
      if (fault.do === 'truncate') response.socket?.destroySoon()
      else if (fault.do === 'reset') this.#parts.reset(response)
    })
  }
}

function kindOf({ method }: IncomingMessage, { searchParams }: URL, { name }: Target): RequestKind {
  if (method !== 'GET') return 'write'
  if (/^(true|1)$/.test(searchParams.get('watch') ?? '')) return 'watch'
  return name === undefined ? 'list' : 'get'
}

function plain(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'content-length': text.length })
  response.end(text)
}
