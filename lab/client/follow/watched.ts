import type { ApiTransport } from '#kubernetes/transport.ts'
import { Attempt } from '#kubernetes/watch/attempt.ts'
import { Malformed, Refusal, reasonOf } from '#kubernetes/watch/failures.ts'
import { LineSplitter, parseFrame } from '#kubernetes/watch/frames.ts'
import type { WatchLimits } from '#kubernetes/watch/limits.ts'
import type { Clock } from '#system/ports.ts'
import type { Followed, Follower, Selection } from '../cluster-client.ts'
import type { Kind } from '../kinds.ts'
import type { ApiObject } from '../objects.ts'
import { ApiRefused } from '../refused.ts'
import { type ListPages, queried } from './list-pages.ts'
import { ObjectCache } from './object-cache.ts'

// One kind and selection at the API server → a cache that is as the server has it, for as long as it runs.

export interface WatchedParts {
  readonly kind: Kind
  readonly selection: Selection
  readonly transport: Pick<ApiTransport, 'get'>
  readonly pages: ListPages
  readonly clock: Clock
  readonly random: () => number
  readonly limits: WatchLimits
  readonly onTrouble?: (line: string) => void
}

const WATCH = { watch: 'true', allowWatchBookmarks: 'true' }

/**
 * A watch is resumed behind the last event that was applied. Where the API server has forgotten that version (410), or sends
 * what cannot be read, everything is listed and compared.
 */
export class Watched {
  readonly #parts: WatchedParts
  readonly #cache = new ObjectCache()
  readonly #stop = new AbortController()
  /** Empty where everything must be listed. */
  #version = ''
  #failures = 0
  /** How many events and bookmarks the running watch has brought. */
  #steps = 0

  constructor(parts: WatchedParts) {
    this.#parts = parts
  }

  join(on: Follower<ApiObject>, left: () => void): Followed<ApiObject> {
    return this.#cache.join(on, left)
  }

  stop(): void {
    this.#stop.abort()
  }

  /** Resolves when it was stopped and no request is under way. */
  async run(outer: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([outer, this.#stop.signal])
    while (!signal.aborted) {
      const { error, worked } = await this.#attempt(signal)
      if (signal.aborted) break
      if (worked) this.#failures = 0
      if (error === undefined && worked) continue
      await this.#parts.clock.sleep(this.#pause(error), signal)
    }
    this.#cache.close()
  }

  /** A list where nothing is known, then a watch until it ends. */
  async #attempt(signal: AbortSignal): Promise<{ readonly error?: unknown; readonly worked: boolean }> {
    const attempt = new Attempt({ ...this.#parts, heard: () => {} }, signal)
    this.#steps = 0
    try {
      if (this.#version === '') await this.#list()
      signal.throwIfAborted()
      await this.#watch(attempt)
      return { worked: this.#steps > 0 }
    } catch (error) {
      return { error, worked: this.#steps > 0 }
    } finally {
      await attempt.close()
    }
  }

  async #list(): Promise<void> {
    const { pages, kind, selection } = this.#parts
    const { items, resourceVersion } = await pages.all(kind, selection)
    if (this.#stop.signal.aborted) return
    this.#cache.replaceAll(items)
    this.#version = resourceVersion
  }

  async #watch(attempt: Attempt): Promise<void> {
    const { kind, selection, limits, random } = this.#parts
    const [least, most] = limits.watchSeconds
    const timeoutSeconds = String(Math.floor(least + random() * (most - least)))
    const answer = await attempt.ask(
      queried(kind, selection, { ...WATCH, timeoutSeconds, resourceVersion: this.#version }),
    )
    const lines = new LineSplitter(limits.lineBytes)
    const patience = { missing: 'no event and no bookmark', ms: limits.silenceMs } as const
    for await (const piece of attempt.pieces(answer, () => patience)) {
      for (const line of lines.take(piece)) this.#apply(line)
    }
  }

  #apply(line: string): void {
    if (this.#stop.signal.aborted) return
    const frame = parseFrame(line)
    if (frame.type === 'error') throw frame.refusal
    if (frame.type === 'put') this.#cache.put(frame.item.raw as ApiObject)
    if (frame.type === 'gone') this.#cache.remove(frame.item.raw as ApiObject)
    this.#steps += 1
    this.#version = frame.type === 'bookmark' ? frame.resourceVersion : frame.item.resourceVersion
  }

  /** A server without this kind has none of it; it may be another one some time. */
  #absent(): number {
    this.#version = ''
    this.#cache.replaceAll([])
    return this.#parts.limits.refusedMs
  }

  /** Milliseconds until the next attempt, which begins where this one ended unless that is no longer possible. */
  #pause(error: unknown): number {
    const { limits, random, onTrouble, kind } = this.#parts
    const code = error instanceof Refusal ? error.facts.code : error instanceof ApiRefused ? error.code : undefined
    if (code === 410 || error instanceof Malformed) this.#version = ''
    if (code === 404) return this.#absent()
    const askedMs = error instanceof Refusal ? Math.min(error.facts.retryAfterMs, limits.retryAfterMaxMs) : 0
    const backoffMs = Math.min(limits.backoffMs * 2 ** this.#failures, limits.backoffMaxMs) * (1 + random())
    // The first list after a 410 need not wait.
    const waitMs = code === 410 && this.#failures === 0 ? 0 : Math.round(Math.max(askedMs, backoffMs))
    this.#failures += 1
    if (error !== undefined)
      onTrouble?.(`The watch of ${kind.plural} failed, again in ${waitMs} ms: ${reasonOf(error)}`)
    return waitMs
  }
}
