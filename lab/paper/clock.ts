import type { Clock } from '#system/ports.ts'

// A clock that moves only when a test calls `advance`.

interface Sleeper {
  readonly due: number
  readonly wake: () => void
}

export class PaperClock implements Clock {
  #now: number
  /** In the order of the calls of `sleep`. */
  readonly #sleepers = new Set<Sleeper>()

  constructor(now = 0) {
    this.#now = now
  }

  /** How many calls of `sleep` are waiting now. */
  get sleepers(): number {
    return this.#sleepers.size
  }

  now(): number {
    return this.#now
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve()
    return new Promise(resolve => {
      const sleeper = {
        due: this.#now + Math.max(0, ms),
        wake: () => {
          this.#sleepers.delete(sleeper)
          signal?.removeEventListener('abort', sleeper.wake)
          resolve()
        },
      }
      this.#sleepers.add(sleeper)
      signal?.addEventListener('abort', sleeper.wake)
    })
  }

  /** Sleepers that are due wake one after another, each at its own time and with all promises settled before the next. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    await settled()
    for (let next = this.#firstDue(end); next !== undefined; next = this.#firstDue(end)) {
      this.#now = Math.max(this.#now, next.due)
      next.wake()
      await settled()
    }
    this.#now = end
  }

  /** Of those due at the same time, the one whose `sleep` was called first. */
  #firstDue(end: number): Sleeper | undefined {
    let first: Sleeper | undefined
    for (const sleeper of this.#sleepers) {
      if (sleeper.due <= end && (first === undefined || sleeper.due < first.due)) first = sleeper
    }
    return first
  }
}

/** Resolves when all promises that wait for nothing else have run. */
function settled(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
