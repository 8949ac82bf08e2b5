import type { Clock } from '#system/ports.ts'
import { type Missing, Silent } from './failures.ts'

// Nothing received for too long → an Error for the request that waits.

/** The wait is counted in steps of a quarter; the first one is seldom a whole one, so there are five. */
const STEPS = 5

/**
 * Counts its own short sleeps and never looks at the time of day: after a clock was set back, silence must still be
 * noticed. Only waiting for the API server counts, not the time in which the consumer applies an event.
 */
export class Silence {
  readonly #clock: Clock
  readonly #over: (error: Silent) => void
  readonly #ended = new AbortController()
  readonly #counting: Promise<void>
  #missing: Missing = 'no answer'
  #limitMs: number
  #steps = 0
  #waiting = false

  constructor(clock: Clock, firstLimitMs: number, over: (error: Silent) => void) {
    this.#clock = clock
    this.#over = over
    this.#limitMs = firstLimitMs
    this.#counting = this.#count()
  }

  /** From now on something must be heard within the limit. */
  expect(missing: Missing, limitMs: number): void {
    this.#missing = missing
    this.#limitMs = limitMs
    this.#steps = 0
    this.#waiting = true
  }

  heard(): void {
    this.#waiting = false
  }

  /** Resolves when nothing is counted any more. */
  end(): Promise<void> {
    this.#ended.abort()
    return this.#counting
  }

  async #count(): Promise<void> {
    const { signal } = this.#ended
    while (!signal.aborted) {
      await this.#clock.sleep(this.#limitMs / (STEPS - 1), signal)
      if (signal.aborted) return
      if (!this.#waiting) continue
      this.#steps += 1
      if (this.#steps === STEPS) return this.#over(new Silent(this.#missing, this.#limitMs))
    }
  }
}
