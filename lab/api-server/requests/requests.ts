import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FaultScope, RequestKind } from '#lab/api-server/fault-plan.ts'
import { openApiDocument } from '../openapi/documents.ts'
import type { ContainerParts } from '../streams/containers.ts'
import { reachedPod, serveExec, type Upgrade } from '../streams/exec.ts'
import { sendLogs } from '../streams/logs.ts'
import { answer, Refused } from './answers.ts'
import { bodyOf } from './body.ts'
import { discovery } from './discovery.ts'
import { formOf } from './negotiation.ts'
import { ApiReads, type ReadParts } from './reads/reads.ts'
import { renderingOf } from './reads/rendering.ts'
import { notServed } from './refusals.ts'
import { PODS, type Target, targetOf } from './resources.ts'
import { ApiWrites, type WriteParts } from './writes/writes.ts'

// One HTTP request → its answer: which verb it is, which injected fault strikes it, and what answers it.

export interface RequestParts extends ReadParts, WriteParts, ContainerParts {}

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
  readonly #reads: ApiReads
  readonly #writes: ApiWrites

  constructor(parts: RequestParts) {
    this.#parts = parts
    this.#reads = new ApiReads(parts)
    this.#writes = new ApiWrites(parts)
  }

  async answer(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const { pathname } = url
    if (/^\/(healthz|livez|readyz)(\/|$)/.test(pathname)) return plain(response, 'ok')
    if (pathname === '/version') return answer(response, 200, JSON.stringify(VERSION))
    const described = request.method === 'GET' ? openApiDocument(pathname, request.headers.accept) : undefined
    if (described !== undefined) return answer(response, 200, described.body, described.contentType)
    const form = formOf(request.headers.accept)
    if (form === undefined) throw new Refused(406, 'only the following media types are accepted: application/json')
    const found = request.method === 'GET' ? discovery(pathname.replace(/(.)\/$/, '$1'), form) : undefined
    if (found !== undefined) return answer(response, 200, JSON.stringify(found.document), found.contentType)
    const target = targetOf(pathname)
    if (target === undefined) throw notServed()
    const scope = { on: kindOf(request, url, target), resource: target.resource.plural }
    if (this.#isStalled(scope)) return
    const query = url.searchParams
    if (target.subresource === 'log' && target.resource === PODS && request.method === 'GET') {
      return await sendLogs(this.#parts, { target, query }, response)
    }
    if (target.subresource === 'exec' && target.resource === PODS) {
      reachedPod(this.#parts, target, query)
      throw new Refused(400, 'Upgrade request required')
    }
    const rendering = renderingOf(form, query, this.#parts.store.now)
    if (scope.on === 'watch') return this.#reads.watch({ target, scope, query, rendering }, response)
    if (scope.on === 'list') return this.#reads.list({ target, scope, query, rendering }, response)
    const body = request.method === 'GET' ? undefined : await bodyOf(request)
    const { code, sent, warnings = [] } = this.#writes.answer({ request, target, body, query })
    if (warnings.length > 0)
      response.setHeader(
        'warning',
        warnings.map(it => `299 - ${JSON.stringify(it)}`),
      )
    answer(response, code, typeof sent === 'string' ? sent : rendering.object({ kind: sent.kind ?? '' }, sent))
  }

  /** Of a connection that is to become something else than HTTP. */
  async upgrade(upgrade: Upgrade, url: URL): Promise<void> {
    const target = targetOf(url.pathname)
    if (target?.subresource !== 'exec' || target.resource !== PODS) throw notServed()
    await serveExec(this.#parts, target, upgrade)
  }

  /** Faults that strike before anything is answered: true where there will be no answer at all. */
  #isStalled(scope: FaultScope): boolean {
    const fault = this.#parts.faults.take(scope, ['status', 'stall'], it => it.do === 'status' || it.at === 'headers')
    if (fault?.do !== 'status') return fault !== undefined
    const { code, message = `the API server answers ${code}`, retryAfterSeconds } = fault
    throw new Refused(code, message, retryAfterSeconds === undefined ? {} : { retryAfterSeconds })
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
