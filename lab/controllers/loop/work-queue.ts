import type { Clock } from '#system/ports.ts'

// Keys that need work → workers, one at a time for each key. What is added while it is worked on comes again.

export interface WorkQueueParts {
  readonly clock: Clock
  readonly workers: number
  /** Rejects where the work must be tried again. */
  readonly work: (key: string) => Promise<void>
  /** Called with each failure. */
  readonly failed: (key: string, error: unknown, retryMs: number) => void
}

const RETRY_MS = 20
const RETRY_MAX_MS = 5_000

export class WorkQueue {
  readonly #parts: WorkQueueParts
  readonly #waiting = new Set<string>()
  readonly #working = new Map<string, Promise<void>>()
  /** Added while they were worked on. */
  readonly #again = new Set<string>()
  readonly #held = new Set<string>()
  readonly #failures = new Map<string, number>()
  /** When each key is due by the clock; the earliest time counts. */
  readonly #due = new Map<string, { readonly at: number; readonly stop: AbortController }>()
  readonly #stop = new AbortController()

  constructor(parts: WorkQueueParts) {
    this.#parts = parts
  }

  add(key: string): void {
    if (this.#stop.signal.aborted) return
    if (this.#working.has(key)) this.#again.add(key)
    else this.#waiting.add(key)
    this.#start()
  }

  /** Not before `ms` have passed, unless it is added meanwhile. */
  addAfter(key: string, ms: number): void {
    if (this.#stop.signal.aborted) return
    const at = this.#parts.clock.now() + ms
    const due = this.#due.get(key)
    if (due !== undefined && due.at <= at) return
    due?.stop.abort()
    const stop = new AbortController()
    this.#due.set(key, { at, stop })
    void this.#parts.clock.sleep(ms, stop.signal).then(() => {
      if (stop.signal.aborted) return
      this.#due.delete(key)
      this.add(key)
    })
  }

  /** The key waits, even where it is added, until it is released. */
  hold(key: string): void {
    this.#held.add(key)
  }

  release(key: string): void {
    if (this.#held.delete(key)) this.#start()
  }

  /** Resolves when no work is under way. */
  async close(): Promise<void> {
    this.#stop.abort()
    for (const { stop } of this.#due.values()) stop.abort()
    this.#due.clear()
    await Promise.all(this.#working.values())
  }

  #start(): void {
    for (const key of this.#waiting) {
      if (this.#working.size >= this.#parts.workers) return
      if (this.#held.has(key) || this.#stop.signal.aborted) continue
      this.#waiting.delete(key)
      this.#working.set(key, this.#run(key))
    }
  }

  async #run(key: string): Promise<void> {
    // A turn later: what changes together is decided together.
    await Promise.resolve()
    try {
      await this.#parts.work(key)
      this.#failures.delete(key)
    } catch (error) {
      this.#retry(key, error)
    }
    this.#working.delete(key)
    if (this.#again.delete(key)) this.#waiting.add(key)
    this.#start()
  }

  #retry(key: string, error: unknown): void {
    if (this.#stop.signal.aborted) return
    const failures = this.#failures.get(key) ?? 0
    this.#failures.set(key, failures + 1)
    const retryMs = Math.min(RETRY_MS * 2 ** failures, RETRY_MAX_MS)
    this.#parts.failed(key, error, retryMs)
    this.addAfter(key, retryMs)
  }
}
