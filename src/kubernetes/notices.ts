import type { Clock } from '#system/ports.ts'
import type { ObjectKind } from './objects.ts'

// What the log says of the API server and the watches on it.

export type ApiNotice =
  /** The first complete picture has been delivered. */
  | { readonly what: 'synced'; readonly resource: ObjectKind; readonly objects: number; readonly tookMs: number }
  /** It cannot be reached, or answers with an error; it is tried again without end. */
  | { readonly what: 'waiting'; readonly resource: ObjectKind; readonly reason: string; readonly retryMs: number }
  /** It works again after `waiting`. */
  | { readonly what: 'back'; readonly resource: ObjectKind; readonly downMs: number }
  | { readonly what: 'unauthorized'; readonly resource: ObjectKind; readonly reason: string; readonly retryMs: number }
  /** 403, or 404 where the API server does not serve this resource at all. */
  | { readonly what: 'forbidden'; readonly resource: ObjectKind; readonly reason: string; readonly retryMs: number }
  /** The history since our resourceVersion is gone (410): everything is listed again and compared. */
  | { readonly what: 'relisting'; readonly resource: ObjectKind; readonly reason: string }
  /** Lists are fetched in pages from now on, not streamed. */
  | { readonly what: 'fallback'; readonly resource: ObjectKind; readonly reason: string }
  /** The API server does not know our field selector: it is asked without. */
  | { readonly what: 'unselected'; readonly resource: ObjectKind; readonly selector: string; readonly reason: string }
  /** It is not served (404), or not to us (403), and is not needed. */
  | { readonly what: 'absent'; readonly resource: ObjectKind; readonly reason: string; readonly retryMs: number }
  | { readonly what: 'silent'; readonly resource: ObjectKind; readonly reason: string }
  | { readonly what: 'malformed'; readonly resource: ObjectKind; readonly reason: string }

/** Passes notices on, each at most once in a while, however often it is due. */
export class NoticeLimiter {
  readonly #onNotice: (notice: ApiNotice) => void
  readonly #clock: Clock
  readonly #everyMs: number
  readonly #passedAt = new Map<string, number>()

  constructor(onNotice: (notice: ApiNotice) => void, clock: Clock, everyMs: number) {
    this.#onNotice = onNotice
    this.#clock = clock
    this.#everyMs = everyMs
  }

  notify(notice: ApiNotice): void {
    const now = this.#clock.now()
    // A clock that was set back must not silence us until it has caught up.
    const isOld = (at: number) => Math.abs(now - at) >= this.#everyMs
    const subject = subjectOf(notice)
    const passedAt = this.#passedAt.get(subject)
    if (passedAt !== undefined && !isOld(passedAt)) return
    for (const [other, at] of this.#passedAt) if (isOld(at)) this.#passedAt.delete(other)
    this.#passedAt.set(subject, now)
    this.#onNotice(notice)
  }
}

/** An API server that is down is down for all resources: that is one notice, not one for each. */
function subjectOf(notice: ApiNotice): string {
  if (notice.what === 'waiting' || notice.what === 'unauthorized') return `${notice.what} ${notice.reason}`
  if (notice.what === 'back') return notice.what
  return `${notice.what} ${notice.resource}`
}
