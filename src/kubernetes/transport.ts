import { Agent, type Dispatcher, ProxyAgent } from 'undici'
import type { Access, Credentials } from './access/credentials.ts'
import { observing, type RequestObserver } from './request-observer.ts'

// A path → the API server's answer, over HTTP/1.1 connections that are kept alive.

export interface ApiAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Must be read to its end or destroyed: it holds a connection. */
  readonly body: Dispatcher.ResponseData['body']
}

export interface Request {
  /** With its query; the server's prefix goes before it. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

export interface Post extends Request {
  /** JSON. */
  readonly body: string
}

/** A request as it is sent: `get`, `post` and `patch` are short for it. */
export type Sent = Request & { readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'; readonly body?: string }

export interface TransportOptions {
  readonly credentials: Credentials
  readonly userAgent?: string
  /** Shorter than undici's 10 s: in a network with losses it halved the time the node was behind. */
  readonly connectMs?: number
  /** Called for every request. */
  readonly observer?: RequestObserver
}

/** Connections to one server with one set of certificates. */
interface Pool {
  readonly key: string
  readonly dispatcher: Dispatcher
  /** Requests whose answer has not ended. */
  running: number
}

/** One pool of connections, replaced when certificates were rotated; what still runs on the old one may finish. */
export class ApiTransport {
  readonly #credentials: Credentials
  readonly #userAgent: string
  readonly #connectMs: number
  readonly #observer: RequestObserver | undefined
  #pool: Pool | undefined
  /** Until what runs on them has ended: a watch may go on for minutes on the old certificates. */
  readonly #outdated = new Set<Pool>()
  #closed = false

  constructor({ credentials, userAgent = 'switchyard', connectMs = 5_000, observer }: TransportOptions) {
    this.#credentials = credentials
    this.#userAgent = userAgent
    this.#connectMs = connectMs
    this.#observer = observer
  }

  /** Rejects as soon as the signal aborts, whatever it was waiting for. Time limits are the caller's. */
  get(request: Request): Promise<ApiAnswer> {
    return this.send({ ...request, method: 'GET' })
  }

  /** As `get`. Nothing is sent twice: whether a POST that got no answer has worked is for the caller to judge. */
  post({ headers, ...request }: Post): Promise<ApiAnswer> {
    return this.send({ ...request, method: 'POST', headers: { 'content-type': 'application/json', ...headers } })
  }

  /** A merge patch; otherwise as `post`. */
  patch({ headers, ...request }: Post): Promise<ApiAnswer> {
    const type = { 'content-type': 'application/merge-patch+json' }
    return this.send({ ...request, method: 'PATCH', headers: { ...type, ...headers } })
  }

  /** As `get`. */
  async send({ path, headers, signal, ...what }: Sent): Promise<ApiAnswer> {
    const access = await unlessAborted(this.#credentials.access(), signal)
    if (this.#closed) throw new Error('the connections to the API server are closed')
    const pool = this.#poolFor(access)
    const asked = pool.dispatcher.request({
      origin: access.origin,
      path: access.prefix + path,
      ...what,
      headers: { 'user-agent': this.#userAgent, accept: 'application/json', ...headers, ...access.headers },
      signal,
      headersTimeout: 0,
      bodyTimeout: 0,
    })
    this.#counted(pool, asked)
    const answered = asked.catch((cause: unknown) => {
      throw new Error(`cannot reach ${access.origin}`, { cause })
    })
    const answer = await unlessAborted(answered, signal)
    if (answer.statusCode === 401) this.#credentials.rejected(access)
    return { status: answer.statusCode, headers: answer.headers, body: answer.body }
  }

  /** Resolves when no connection is left. */
  async close(): Promise<void> {
    this.#closed = true
    const pools = this.#pool === undefined ? [...this.#outdated] : [...this.#outdated, this.#pool]
    await Promise.all(pools.map(pool => pool.dispatcher.destroy()))
  }

  #poolFor({ tls, proxy }: Access): Pool {
    const key = JSON.stringify([tls, proxy])
    if (this.#pool?.key === key) return this.#pool
    if (this.#pool !== undefined) this.#retire(this.#pool)
    const pool = newPool({ tls, proxy }, this.#connectMs)
    const dispatcher = this.#observer === undefined ? pool : pool.compose(observing(this.#observer))
    this.#pool = { key, dispatcher, running: 0 }
    return this.#pool
  }

  #counted(pool: Pool, asked: Promise<Dispatcher.ResponseData>): void {
    const ended = (): void => {
      pool.running--
      if (this.#outdated.has(pool)) this.#endIfIdle(pool)
    }
    pool.running++
    asked.then(({ body }) => body.once('close', ended), ended)
  }

  #retire(pool: Pool): void {
    this.#outdated.add(pool)
    this.#endIfIdle(pool)
  }

  /** A pool that undici closes forgets at once what runs on it: destroying it then would end nothing. */
  #endIfIdle(pool: Pool): void {
    if (pool.running > 0) return
    void pool.dispatcher.destroy().then(() => this.#outdated.delete(pool))
  }
}

/**
 * HTTP/1.1: each watch has a connection of its own, so a dead connection costs one watch, and the retry opens another.
 */
function newPool({ tls, proxy }: { tls: Access['tls']; proxy: string | undefined }, timeout: number): Dispatcher {
  const socket = { timeout, keepAlive: true, keepAliveInitialDelay: 15_000 }
  const options = { allowH2: false, pipelining: 1, connect: { ...socket, ...tls } }
  if (proxy === undefined) return new Agent(options)
  return new ProxyAgent({
    ...options,
    uri: proxy,
    connect: socket,
    proxyTls: socket,
    requestTls: { ...socket, ...tls },
  })
}

/** What was aborted is no longer waited for; if it answers all the same, its connection is given up. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
