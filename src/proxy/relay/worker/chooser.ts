import type { Endpoint, Memory, Pool } from '#proxy/relay/messages.ts'
import { favourite } from './favourite.ts'

// A client → the endpoint it is handed to: the next in turn; for a sticky pool the one it was handed to before. Endpoints that
// did not answer a moment ago are asked last.

export interface ChooserParts {
  readonly pool: Pool
  /** Draws the next number, shared by all workers. */
  readonly turn: () => number
  readonly now: () => number
  /** Told of a client's endpoint, so that the other workers know. */
  readonly tell: (memory: Memory) => void
  readonly memories?: readonly Memory[]
}

/** For so long an endpoint that did not answer is asked only when no other is left. */
const AVOID_MS = 5000
/** A client that comes often is told of no more often than this, or a tenth of its time where that is less. */
const TELL_MS = 10_000

interface Known extends Memory {
  readonly toldAt: number
}

export class Chooser {
  readonly #parts: ChooserParts
  readonly #memories = new Map<string, Known>()
  /** Endpoints that failed, by the time from which they are as good as any. */
  readonly #avoided = new Map<string, number>()
  readonly #waiting = new Set<() => void>()
  #pool: Pool
  #endpoints: ReadonlyMap<string, Endpoint>

  constructor(parts: ChooserParts) {
    this.#parts = parts
    this.#pool = parts.pool
    this.#endpoints = byText(parts.pool)
    for (const memory of parts.memories ?? []) this.remember(memory)
  }

  update(pool: Pool): void {
    this.#pool = pool
    this.#endpoints = byText(pool)
    const isGone = (text: string): boolean => !this.#endpoints.has(text)
    for (const text of this.#avoided.keys()) if (isGone(text)) this.#avoided.delete(text)
    for (const [client, { endpoint }] of this.#memories) if (isGone(endpoint)) this.#memories.delete(client)
    for (const wake of this.#waiting) wake()
  }

  /** Undefined where every endpoint has been tried. */
  choose(client: string, tried: ReadonlySet<string>): Endpoint | undefined {
    const known = this.#known(client)
    if (known !== undefined && !tried.has(known.endpoint)) return this.#endpoints.get(known.endpoint)
    const left = this.#left(tried)
    if (left.length === 0) return undefined
    return this.#pool.stickySeconds === undefined ? this.#inTurn(left) : favourite(client, left)
  }

  has({ text }: Endpoint): boolean {
    return this.#endpoints.has(text)
  }

  answered(client: string, { text }: Endpoint): void {
    this.#avoided.delete(text)
    const { stickySeconds } = this.#pool
    if (stickySeconds === undefined) return
    const at = this.#parts.now()
    const before = this.#memories.get(client)
    const memory = { client, endpoint: text, at }
    const isNews = before?.endpoint !== text || at - before.toldAt >= Math.min(TELL_MS, stickySeconds * 100)
    this.#memories.set(client, { ...memory, toldAt: isNews ? at : before.toldAt })
    if (isNews) this.#parts.tell(memory)
  }

  /** It is handed over afresh when it comes again. */
  forget(client: string): void {
    this.#memories.delete(client)
  }

  failed({ text }: Endpoint): void {
    this.#avoided.set(text, this.#parts.now() + AVOID_MS)
  }

  /** What another worker told; of two, the later word counts. */
  remember(memory: Memory): void {
    const known = this.#memories.get(memory.client)
    if (known === undefined || known.at <= memory.at)
      this.#memories.set(memory.client, { ...memory, toldAt: memory.at })
  }

  /** Forgets clients whose time is over. */
  purge(): void {
    for (const client of this.#memories.keys()) if (this.#known(client) === undefined) this.#memories.delete(client)
  }

  get remembered(): number {
    return this.#memories.size
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

  /** Where it was handed to, if that is there, and was not too long ago. */
  #known(client: string): Known | undefined {
    const { stickySeconds } = this.#pool
    const known = this.#memories.get(client)
    if (stickySeconds === undefined || known === undefined || !this.#endpoints.has(known.endpoint)) return undefined
    return this.#parts.now() - known.at <= stickySeconds * 1000 ? known : undefined
  }

  /** Those that have not been tried, without those that failed a moment ago unless there are no others. */
  #left(tried: ReadonlySet<string>): readonly Endpoint[] {
    const { endpoints } = this.#pool
    if (tried.size === 0 && this.#avoided.size === 0) return endpoints
    const left = endpoints.filter(({ text }) => !tried.has(text))
    const good = left.filter(({ text }) => !this.#isAvoided(text))
    return good.length > 0 ? good : left
  }

  /** Where one is left out, its turns are shared by all others. */
  #inTurn(among: readonly Endpoint[]): Endpoint {
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

function byText({ endpoints }: Pool): ReadonlyMap<string, Endpoint> {
  return new Map(endpoints.map(endpoint => [endpoint.text, endpoint]))
}
