import type { Clock } from '#system/ports.ts'
import type { ObjectKind } from './objects.ts'

// What the person on call should hear of the API server.

export type ApiNotice =
  /** The first complete picture has been delivered. */
  | { readonly what: 'synced'; readonly resource: ObjectKind; readonly objects: number; readonly tookMs: number }
  /** It cannot be reached, or answers with an error; tried again, for ever. */
  | { readonly what: 'waiting'; readonly resource: ObjectKind; readonly reason: string; readonly retryMs: number }
  /** It works again after `waiting`. */
  | { readonly what: 'back'; readonly resource: ObjectKind; readonly downMs: number }
  | { readonly what: 'unauthorized'; readonly resource: ObjectKind; readonly reason: string; readonly retryMs: number }
  /** 403, or 404 where the API server does not serve this resource at all. */
  | { readonly what: 'forbidden'; readonly resource: ObjectKind; readonly reason: string; readonly retryMs: number }
  /** The history we stood on is gone: everything is listed again and compared. */
  | { readonly what: 'relisting'; readonly resource: ObjectKind; readonly reason: string }
  /** Lists are fetched in pages from now on, not streamed. */
  | { readonly what: 'fallback'; readonly resource: ObjectKind; readonly reason: string }
  /** The API server does not know our field selector: it is asked without. */
  | { readonly what: 'unselected'; readonly resource: ObjectKind; readonly selector: string; readonly reason: string }
  /** It is not served, or not to us, and we do without. */
  | { readonly what: 'absent'; readonly resource: ObjectKind; readonly reason: string; readonly retryMs: number }
  | { readonly what: 'silent'; readonly resource: ObjectKind; readonly reason: string }
  | { readonly what: 'malformed'; readonly resource: ObjectKind; readonly reason: string }

/** Passes news on, the same news at most once in a while, however often it happens. */
export class NoticeLimiter {
  readonly #tell: (news: ApiNotice) => void
  readonly #clock: Clock
  readonly #everyMs: number
  readonly #lastTold = new Map<string, number>()

  constructor(tell: (news: ApiNotice) => void, clock: Clock, everyMs: number) {
    this.#tell = tell
    this.#clock = clock
    this.#everyMs = everyMs
  }

  tell(news: ApiNotice): void {
    const now = this.#clock.now()
    // A clock that was set back must not silence us until it has caught up.
    const isOld = (told: number) => Math.abs(now - told) >= this.#everyMs
    const subject = subjectOf(news)
    const told = this.#lastTold.get(subject)
    if (told !== undefined && !isOld(told)) return
    for (const [other, at] of this.#lastTold) if (isOld(at)) this.#lastTold.delete(other)
    this.#lastTold.set(subject, now)
    this.#tell(news)
  }
}

/** An API server that is down is down for all resources: that is one piece of news. */
function subjectOf(news: ApiNotice): string {
  if (news.what === 'waiting' || news.what === 'unauthorized') return `${news.what} ${news.reason}`
  if (news.what === 'back') return news.what
  return `${news.what} ${news.resource}`
}
