import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Deed, RequestKind, Where } from '#lab/api-server/fault-plan.ts'
import { acceptsJson, answer, jsonBody, Refused } from './answers.ts'
import { expired, listPage, objectText } from './list.ts'
import { discovery, type Target, targetOf } from './resources.ts'
import { matcher } from './selectors.ts'
import { Watch, type WatchHouse } from './watch.ts'
import { ApiWrites } from './writes.ts'

// One HTTP request → its answer: which verb it is, what is in its way, and who answers it.

export interface RequestHouse extends WatchHouse {
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
  readonly #house: RequestHouse
  readonly #writes: ApiWrites

  constructor(house: RequestHouse) {
    this.#house = house
    this.#writes = new ApiWrites(house.store)
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
    if (target === undefined) throw new Refused(404, 'the server could not find the requested resource')
    const where = { on: kindOf(request, url, target), resource: target.resource.plural }
    if (this.#isHeldUp(where)) return
    if (where.on === 'watch') return this.#watch(target, where, url, response)
    if (where.on === 'list') return this.#list(target, where, url, response)
    const body = request.method === 'GET' || request.method === 'DELETE' ? undefined : await jsonBody(request)
    const { code, object } = this.#writes.apply(request, target, body)
    answer(response, code, objectText(object))
  }

  /** Mischief that strikes before anything is answered: true where there will be no answer at all. */
  #isHeldUp(where: Where): boolean {
    const deed = this.#house.troubles.strike(
      where,
      ['status', 'stall'],
      it => it.do === 'status' || it.at === 'headers',
    )
    if (deed?.do !== 'status') return deed !== undefined
    const { code, message = `the API server answers ${code}`, retryAfterSeconds } = deed
    throw new Refused(code, message, retryAfterSeconds === undefined ? {} : { retryAfterSeconds })
  }

  #watch({ resource, namespace, name }: Target, where: Where, { searchParams }: URL, response: ServerResponse): void {
    const fields = [searchParams.get('fieldSelector'), name && `metadata.name=${name}`].filter(Boolean).join(',')
    const matches = matcher(searchParams.get('labelSelector'), fields)
    const watch = new Watch({ where, resource, namespace, matches, query: searchParams }, this.#house, response)
    this.#house.opened(watch, response)
    watch.start()
  }

  #list({ resource, namespace }: Target, where: Where, { searchParams: query }: URL, response: ServerResponse): void {
    const { store, troubles } = this.#house
    if (query.get('continue') && troubles.strike(where, ['expire-continue'])) throw expired('continue')
    const [labels, fields] = [query.get('labelSelector'), query.get('fieldSelector')]
    const matches = matcher(labels, fields)
    const text = listPage(store, { resource, namespace, matches, query, selective: Boolean(labels || fields) })
    const deed = troubles.strike(
      where,
      ['close', 'reset', 'truncate', 'stall'],
      it => it.do !== 'stall' || it.at !== 'headers',
    )
    if (deed === undefined) answer(response, 200, text)
    else if (deed.do === 'close') response.destroy()
    else this.#listHalf(response, text, deed)
  }

  /** Announces the whole list and tells half of it. */
  #listHalf(response: ServerResponse, text: string, deed: Extract<Deed, { do: 'reset' | 'truncate' | 'stall' }>): void {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) + 1 })
    response.flushHeaders()
    if (deed.do === 'stall' && deed.at === 'body') return
    response.write(text.slice(0, text.length / 2), () => {
      if (deed.do === 'truncate') response.socket?.destroySoon()
      else if (deed.do === 'reset') this.#house.reset(response)
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
