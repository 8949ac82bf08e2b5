import type { ApiNotice, NoticeLimiter } from '#kubernetes/notices.ts'
import type { ResourceStats } from '#kubernetes/stats.ts'
import type { Clock } from '#system/ports.ts'
import { Malformed, NeverEnding, Refusal, reasonOf, Silent } from './failures.ts'
import type { WatchLimits } from './limits.ts'
import type { Resource } from './resources.ts'

// How an attempt ended → when the next one comes, and where it begins.

export interface AttemptEnding {
  /** Absent where the API server closed the answer in good order. */
  readonly error?: unknown
  readonly resource: Resource
  readonly asked: 'streamed list' | 'paged list' | 'watch'
  /** How long a watch was open, including the one that a streamed list turns into. */
  readonly watchedMs: number
  /** How many events and bookmarks took the watch further. */
  readonly steps: number
  /** Where the watch stands; empty where everything must be listed. */
  readonly version: string
}

export interface Next {
  readonly waitMs: number
  readonly from: 'here' | 'the beginning'
  /** What the API server does not know, and is not asked for again. */
  readonly without?: 'streamed lists' | 'field selector' | 'resource'
}

export interface RecoveryParts {
  readonly clock: Clock
  readonly random: () => number
  readonly limits: WatchLimits
  readonly notices: NoticeLimiter
  readonly stats: ResourceStats
}

const RETRY = { waitMs: 0, from: 'here' } as const
const RELIST = { waitMs: 0, from: 'the beginning' } as const

export class Recovery {
  readonly #parts: RecoveryParts
  readonly #backoff: Backoff
  /**
   * A relist without waiting is allowed once after each watch that worked: otherwise list and 410 would alternate
   * without a pause.
   */
  #earned = true
  #malformed = { version: '', times: 0 }
  #waitingSince: number | undefined
  #absence: 'logged' | undefined

  constructor(parts: RecoveryParts) {
    this.#parts = parts
    this.#backoff = new Backoff(parts.limits, parts.random)
  }

  /** A list is complete, or a watch was answered. */
  works(resource: Resource): void {
    this.#absence = undefined
    if (this.#waitingSince === undefined) return
    const downMs = Math.round(this.#parts.clock.now() - this.#waitingSince)
    this.#waitingSince = undefined
    this.#parts.notices.notify({ what: 'back', resource: resource.kind, downMs })
  }

  after(ending: AttemptEnding): Next {
    const { error, steps, watchedMs } = ending
    const worked = steps > 0 || watchedMs >= this.#parts.limits.shortWatchMs
    if (worked) {
      this.#backoff.reset()
      this.#earned = true
    }
    if (error !== undefined) this.#parts.stats.failures += 1
    if (error instanceof Refusal) return this.#refused(error, ending, worked ? 0 : undefined)
    if (error instanceof Silent) return this.#silent(error, ending)
    if (error instanceof NeverEnding) return this.#fallback(error, ending)
    const waitMs = worked ? 0 : this.#backoff.next()
    if (error instanceof Malformed) return this.#unread(error, ending, waitMs)
    if (!worked)
      this.#wait(ending, error === undefined ? 'a watch is closed as soon as it is open' : reasonOf(error), waitMs)
    return { waitMs, from: 'here' }
  }

  #refused(refusal: Refusal, ending: AttemptEnding, free: 0 | undefined): Next {
    const { code, retryAfterMs } = refusal.facts
    if (code === 410) return this.#gone(refusal, ending)
    if ((code === 403 || code === 404) && ending.resource.refusal === 'means none') return this.#absent(refusal, ending)
    const without = unknownTo(refusal, ending)
    if (without === 'field selector') return this.#unselected(refusal, ending)
    if (without === 'streamed lists') return this.#fallback(refusal, ending)
    const askedMs = Math.min(retryAfterMs, this.#parts.limits.retryAfterMaxMs)
    const waitMs = Math.max(free ?? this.#backoff.next(), askedMs)
    const about = { resource: ending.resource.kind, reason: reasonOf(refusal), retryMs: waitMs }
    if (code === 401) this.#notify({ what: 'unauthorized', ...about })
    else if (code === 403 || code === 404) this.#notify({ what: 'forbidden', ...about })
    else this.#wait(ending, about.reason, waitMs)
    return { waitMs, from: 'here' }
  }

  #gone(refusal: Refusal, ending: AttemptEnding): Next {
    this.#parts.stats.gone += 1
    const waitMs = this.#earned ? 0 : this.#backoff.next()
    this.#earned = false
    this.#notify({ what: 'relisting', resource: ending.resource.kind, reason: reasonOf(refusal) })
    return { ...RELIST, waitMs }
  }

  /** Logged once: on an old API server it stays that way. */
  #absent(refusal: Refusal, { resource }: AttemptEnding): Next {
    const waitMs = this.#parts.limits.refusedMs
    const about = { resource: resource.kind, reason: reasonOf(refusal), retryMs: waitMs }
    if (this.#absence === undefined) this.#notify({ what: 'absent', ...about })
    this.#absence = 'logged'
    return { waitMs, from: 'the beginning', without: 'resource' }
  }

  #unselected(refusal: Refusal, { resource }: AttemptEnding): Next {
    const { kind, fieldSelector: selector = '' } = resource
    this.#notify({ what: 'unselected', resource: kind, selector, reason: reasonOf(refusal) })
    return { ...RELIST, without: 'field selector' }
  }

  #fallback(error: Error, ending: AttemptEnding): Next {
    this.#notify({ what: 'fallback', resource: ending.resource.kind, reason: reasonOf(error) })
    return { ...RELIST, without: 'streamed lists' }
  }

  /**
   * Retried without waiting: the silence has taken long enough. An API server that does not know streamed lists
   * answers, and then is silent.
   */
  #silent(error: Silent, ending: AttemptEnding): Next {
    this.#parts.stats.silences += 1
    this.#notify({ what: 'silent', resource: ending.resource.kind, reason: reasonOf(error) })
    if (ending.asked === 'streamed list' && error.missing !== 'no answer') return this.#fallback(error, ending)
    return RETRY
  }

  /** The API server is asked for the same again, from before the line; if it is no better, for everything. */
  #unread(error: Malformed, { resource, version, asked }: AttemptEnding, waitMs: number): Next {
    this.#parts.stats.malformed += 1
    const times = this.#malformed.version === version ? this.#malformed.times + 1 : 1
    const again = times < this.#parts.limits.malformedTries
    this.#malformed = { version, times: again ? times : 0 }
    this.#notify({ what: 'malformed', resource: resource.kind, reason: reasonOf(error) })
    if (again) return { waitMs, from: 'here' }
    return { waitMs, from: 'the beginning', ...(asked === 'streamed list' ? { without: 'streamed lists' } : {}) }
  }

  #wait({ resource }: AttemptEnding, reason: string, retryMs: number): void {
    this.#waitingSince ??= this.#parts.clock.now()
    this.#notify({ what: 'waiting', resource: resource.kind, reason, retryMs })
  }

  #notify(notice: ApiNotice): void {
    this.#parts.notices.notify(notice)
  }
}

/** With etcd 3.4, a streamed list is answered with 200 and then an ERROR event of code 500. */
function unknownTo({ facts }: Refusal, { asked, resource }: AttemptEnding): Next['without'] {
  const { code, said, via } = facts
  const optional = resource.optional === 'fieldSelector'
  if (code === 400 && optional && /field (label|selector)/i.test(said)) return 'field selector'
  if (asked === 'streamed list' && (code === 400 || code === 422 || (code === 500 && via === 'event'))) {
    return 'streamed lists'
  }
  return code === 400 && optional ? 'field selector' : undefined
}

/**
 * Doubles up to a limit and adds up to as much again at random, so that five thousand nodes do not come back in step.
 */
class Backoff {
  readonly #limits: WatchLimits
  readonly #random: () => number
  #failures = 0

  constructor(limits: WatchLimits, random: () => number) {
    this.#limits = limits
    this.#random = random
  }

  next(): number {
    const { backoffMs, backoffMaxMs } = this.#limits
    const step = Math.min(backoffMs * 2 ** this.#failures, backoffMaxMs)
    this.#failures += 1
    return Math.round(step * (1 + this.#random()))
  }

  reset(): void {
    this.#failures = 0
  }
}
