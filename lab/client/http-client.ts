import { type Credentials, type CredentialsOptions, credentialsFrom } from '#kubernetes/access/credentials.ts'
import { ApiTransport, type Sent } from '#kubernetes/transport.ts'
import type { WatchLimits } from '#kubernetes/watch/limits.ts'
import { timedAnswer } from '#kubernetes/writes/timed-answer.ts'
import type { Clock } from '#system/ports.ts'
import type {
  ClusterClient,
  DeleteOptions,
  Followed,
  Follower,
  ObjectKey,
  Selection,
  Subresource,
} from './cluster-client.ts'
import { ListPages } from './follow/list-pages.ts'
import { SharedWatches } from './follow/shared-watches.ts'
import { type Kind, kindNamed, kindOf, pathTo } from './kinds.ts'
import type { ApiObject } from './objects.ts'
import { refusalIn } from './refused.ts'

// ClusterClient over HTTP: JSON on connections that are kept alive, each request with a time limit.

export interface ClientParts {
  readonly credentials: Credentials
  readonly clock: Clock
  /** From 0 to 1, as Math.random. */
  readonly random?: () => number
  /** `switchyard-kubelet`: the manager of the fields that are written. */
  readonly userAgent?: string
  readonly limits?: Partial<WatchLimits>
  /** One line about a watch that failed and is tried again. */
  readonly onTrouble?: (line: string) => void
}

/** A kubeconfig file or the URL of an API server → a client of it. */
export async function openClient(
  access: CredentialsOptions,
  parts: Omit<ClientParts, 'credentials' | 'clock'> = {},
): Promise<ClusterClient> {
  return clusterClient({ ...parts, clock: access.clock, credentials: await credentialsFrom(access) })
}

export function clusterClient(parts: ClientParts): ClusterClient {
  return new HttpClient(parts)
}

/** A write that changes many objects at once takes the API server longer than a read. */
const WITHIN_MS = 30_000

class HttpClient implements ClusterClient {
  readonly #transport: ApiTransport
  readonly #clock: Clock
  readonly #pages: ListPages
  readonly #watches: SharedWatches
  readonly #stop = new AbortController()

  constructor({ credentials, clock, userAgent = 'switchyard-lab', random = Math.random, ...rest }: ClientParts) {
    const transport = new ApiTransport({ credentials, userAgent })
    this.#transport = transport
    this.#clock = clock
    this.#pages = new ListPages(path => this.#answer({ method: 'GET', path }))
    this.#watches = new SharedWatches({ ...rest, transport, clock, random, pages: this.#pages })
  }

  async get<T extends ApiObject>(kind: string, key: ObjectKey): Promise<T | undefined> {
    const path = pathOf(kindNamed(kind), key)
    const { status, json } = await this.#request({ method: 'GET', path })
    if (status === 404) return undefined
    return success(status, json, `GET ${path}`) as T
  }

  async list<T extends ApiObject>(kind: string, selection: Selection = {}): Promise<readonly T[]> {
    const { items } = await this.#pages.all<T>(kindNamed(kind), selection)
    return items
  }

  async create<T extends ApiObject>(object: T): Promise<T> {
    const path = pathTo(kindOf(object), object.metadata.namespace ?? 'default')
    return (await this.#answer({ method: 'POST', path, body: object })) as T
  }

  async replace<T extends ApiObject>(object: T, subresource?: Subresource): Promise<T> {
    const { namespace, name = '' } = object.metadata
    const path = pathOf(kindOf(object), { name, ...(namespace && { namespace }) }, subresource)
    return (await this.#answer({ method: 'PUT', path, body: object })) as T
  }

  async patch<T extends ApiObject>(
    kind: string,
    key: ObjectKey,
    mergePatch: object,
    subresource?: Subresource,
  ): Promise<T> {
    return (await this.#answer({
      method: 'PATCH',
      path: pathOf(kindNamed(kind), key, subresource),
      body: mergePatch,
    })) as T
  }

  async post(kind: string, key: ObjectKey, subresource: string, object: ApiObject): Promise<void> {
    await this.#answer({ method: 'POST', path: pathOf(kindNamed(kind), key, subresource), body: object })
  }

  async delete(kind: string, key: ObjectKey, options: DeleteOptions = {}): Promise<void> {
    const { uid, resourceVersion, ...rest } = options
    const preconditions = { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) }
    const body = { kind: 'DeleteOptions', apiVersion: 'v1', ...rest, preconditions }
    const path = pathOf(kindNamed(kind), key)
    const { status, json } = await this.#request({ method: 'DELETE', path, body })
    if (status !== 404) success(status, json, `DELETE ${path}`)
  }

  follow<T extends ApiObject>(kind: string, selection: Selection, on: Follower<T>): Followed<T> {
    return this.#watches.follow(kindNamed(kind), selection, on)
  }

  async close(): Promise<void> {
    const ended = this.#watches.close()
    this.#stop.abort(new Error('the client is closed'))
    await ended
    await this.#transport.close()
  }

  async #answer(request: Asked): Promise<unknown> {
    const { status, json } = await this.#request(request)
    return success(status, json, `${request.method} ${request.path}`)
  }

  #request({ method, path, body }: Asked): ReturnType<typeof timedAnswer> {
    const sent = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': TYPES[method] } }
    const requests = { transport: this.#transport, clock: this.#clock, withinMs: WITHIN_MS }
    return timedAnswer(requests, over => {
      const signal = AbortSignal.any([over, this.#stop.signal])
      return this.#transport.send({ method, path, ...sent, signal })
    })
  }
}

interface Asked {
  readonly method: Sent['method']
  readonly path: string
  readonly body?: object
}

const JSON_TYPE = 'application/json'
const TYPES: Readonly<Record<Sent['method'], string>> = {
  GET: JSON_TYPE,
  POST: JSON_TYPE,
  PUT: JSON_TYPE,
  DELETE: JSON_TYPE,
  PATCH: 'application/merge-patch+json',
}

function pathOf(kind: Kind, { namespace, name }: ObjectKey, subresource?: string): string {
  const path = pathTo(kind, namespace ?? 'default', name)
  return subresource === undefined ? path : `${path}/${subresource}`
}

function success(status: number, json: unknown, what: string): unknown {
  if (status >= 200 && status < 300) return json
  throw refusalIn(status, json, what)
}
