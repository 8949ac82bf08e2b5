import type { Pool, PoolEndpoint, StickyClient } from '#proxy/relay/messages.ts'
import { favourite } from './favourite.ts'

// A client → the endpoint it is handed to: the next in turn; for a sticky pool the one it was handed to before. Endpoints that
// did not answer a moment ago are asked last.

export interface ChooserParts {
  readonly pool: Pool
  /** Draws the next number from a counter that all workers share. */
  readonly turn: () => number
  readonly now: () => number
  /** Sends a client's endpoint to the other workers. */
  readonly share: (stickyClient: StickyClient) => void
  readonly stickyClients?: readonly StickyClient[]
}

/** For so long an endpoint that did not answer is tried only when no other is left. */
const AVOID_MS = 5000
/** A client that comes often is shared no more often than this, or than a tenth of its stickiness where that is less. */
const SHARE_MS = 10_000

interface Known extends StickyClient {
  readonly sharedAt: number
}

export class Chooser {
  readonly #parts: ChooserParts
  readonly #stickyClients = new Map<string, Known>()
  /** Endpoints that failed, by the time from which they are as good as any. */
  readonly #avoided = new Map<string, number>()
  readonly #waiting = new Set<() => void>()
  #pool: Pool
  #endpoints: ReadonlyMap<string, PoolEndpoint>

  constructor(parts: ChooserParts) {
    this.#parts = parts
    this.#pool = parts.pool
    this.#endpoints = byText(parts.pool)
    for (const stickyClient of parts.stickyClients ?? []) this.remember(stickyClient)
  }

  update(pool: Pool): void {
    this.#pool = pool
    this.#endpoints = byText(pool)
    const isGone = (text: string): boolean => !this.#endpoints.has(text)
    for (const text of this.#avoided.keys()) if (isGone(text)) this.#avoided.delete(text)
    for (const [client, { endpoint }] of this.#stickyClients) if (isGone(endpoint)) this.#stickyClients.delete(client)
    for (const wake of this.#waiting) wake()
  }

  /** Undefined where every endpoint has been tried. */
  choose(client: string, tried: ReadonlySet<string>): PoolEndpoint | undefined {
    const known = this.#known(client)
    if (known !== undefined && !tried.has(known.endpoint)) return this.#endpoints.get(known.endpoint)
    const left = this.#left(tried)
    if (left.length === 0) return undefined
    return this.#pool.stickySeconds === undefined ? this.#inTurn(left) : favourite(client, left)
  }

  has({ text }: PoolEndpoint): boolean {
    return this.#endpoints.has(text)
  }

  answered(client: string, { text }: PoolEndpoint): void {
    this.#avoided.delete(text)
    const { stickySeconds } = this.#pool
    if (stickySeconds === undefined) return
    const at = this.#parts.now()
    const before = this.#stickyClients.get(client)
    const stickyClient = { client, endpoint: text, at }
    const isDue = before?.endpoint !== text || at - before.sharedAt >= Math.min(SHARE_MS, stickySeconds * 100)
    this.#stickyClients.set(client, { ...stickyClient, sharedAt: isDue ? at : before.sharedAt })
    if (isDue) this.#parts.share(stickyClient)
  }

  /** The next time the client comes, an endpoint is chosen afresh. */
  forget(client: string): void {
    this.#stickyClients.delete(client)
  }

  failed({ text }: PoolEndpoint): void {
    this.#avoided.set(text, this.#parts.now() + AVOID_MS)
  }

  /** From another worker. Of two messages on one client, the later time counts. */
  remember(stickyClient: StickyClient): void {
    const { client, at } = stickyClient
    const known = this.#stickyClients.get(client)
    if (known === undefined || known.at <= at) this.#stickyClients.set(client, { ...stickyClient, sharedAt: at })
  }

  /** Forgets clients whose stickiness has run out. */
  purge(): void {
    for (const client of this.#stickyClients.keys())
      if (this.#known(client) === undefined) this.#stickyClients.delete(client)
  }

  get remembered(): number {
    return this.#stickyClients.size
  }

  /** Resolves with the next update, or after the time. */
  async changed(limitMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.add(resolve)
    const timer = setTimeout(resolve, limitMs)
    await promise
    clearTimeout(timer)
    this.#waiting.delete(resolve)
  }

  /** The client's endpoint, if that is in the pool and the stickiness has not run out. */
  #known(client: string): Known | undefined {
    const { stickySeconds } = this.#pool
    const known = this.#stickyClients.get(client)
    if (stickySeconds === undefined || known === undefined || !this.#endpoints.has(known.endpoint)) return undefined
    return this.#parts.now() - known.at <= stickySeconds * 1000 ? known : undefined
  }

  /** Endpoints that have not been tried; those that failed a moment ago only when there are no others. */
  #left(tried: ReadonlySet<string>): readonly PoolEndpoint[] {
    const { endpoints } = this.#pool
    if (tried.size === 0 && this.#avoided.size === 0) return endpoints
    const left = endpoints.filter(({ text }) => !tried.has(text))
    const good = left.filter(({ text }) => !this.#isAvoided(text))
    return good.length > 0 ? good : left
  }

  /** An endpoint that is left out gives its turns to all others alike. */
  #inTurn(among: readonly PoolEndpoint[]): PoolEndpoint {
    return among[(this.#parts.turn() >>> 0) % among.length]!
  }

  #isAvoided(text: string): boolean {
    const until = this.#avoided.get(text)
    if (until === undefined) return false
    if (this.#parts.now() < until) return true
    this.#avoided.delete(text)
    return false
  }
}

function byText({ endpoints }: Pool): ReadonlyMap<string, PoolEndpoint> {
  return new Map(endpoints.map(endpoint => [endpoint.text, endpoint]))
}
