import type { Clock } from '#system/ports.ts'

// Requests, failures and time → when to run: at once after a quiet time, never more often than the minimum, and ever
// later after failures. Repairs do not wait for the minimum.

export interface PaceLimits {
  /** Between the end of one run and the start of the next. */
  readonly minMs: number
  /** The longest wait after a failure. */
  readonly retryMs: number
  /** The longest time without reading the kernel, while a program reports its changes. */
  readonly distrustMs: number
  /** The same while no program does. */
  readonly unwatchedMs: number
}

const FIRST_RETRY_MS = 1000

export class Pace {
  readonly #clock: Clock
  readonly #limits: PaceLimits
  #wanted = false
  #wake: (() => void) | undefined
  #notBefore = 0
  #failures = 0
  #again = Number.POSITIVE_INFINITY
  #repairAt = Number.POSITIVE_INFINITY
  #readAt: number

  constructor(clock: Clock, limits: PaceLimits) {
    this.#clock = clock
    this.#limits = limits
    this.#readAt = clock.now()
  }

  /** Asks for a run; many requests before it are one. */
  request(): void {
    if (!this.#wanted) this.#wake?.()
    this.#wanted = true
  }

  /** Asks for a run after this long, if none comes before; a request meanwhile does not wait for it. */
  requestIn(ms: number): void {
    this.#again = Math.min(this.#again, this.#clock.now() + ms)
    this.#wake?.()
  }

  /** Asks for a run at this time, whatever the minimum between two; after a failure it waits as any other. */
  repairAt(time: number): void {
    this.#repairAt = time
    this.#wake?.()
  }

  /** Resolves when a run is due: 'requested', or 'distrust' where the kernel has not been read for too long. */
  async due(signal: AbortSignal, kernel: 'watched' | 'unwatched'): Promise<'requested' | 'distrust'> {
    const distrust = this.#readAt + (kernel === 'watched' ? this.#limits.distrustMs : this.#limits.unwatchedMs)
    const deadline = (): number => Math.min(distrust, this.#again, this.#repairAt)
    while (!this.#wanted && !signal.aborted && this.#clock.now() < deadline()) {
      await this.#pause(deadline() - this.#clock.now(), signal)
    }
    const earliest = (): number => (this.#failures > 0 ? this.#notBefore : Math.min(this.#notBefore, this.#repairAt))
    while (!signal.aborted && this.#clock.now() < earliest()) await this.#pause(earliest() - this.#clock.now(), signal)
    this.#wanted = false
    this.#again = Number.POSITIVE_INFINITY
    this.#repairAt = Number.POSITIVE_INFINITY
    if (this.#clock.now() < distrust) return 'requested'
    // The next is due that much later, also where nothing can be read yet.
    this.#readAt = this.#clock.now()
    return 'distrust'
  }

  /** The kernel has been read. */
  kernelRead(): void {
    this.#readAt = this.#clock.now()
  }

  succeeded(): void {
    this.#failures = 0
    this.#notBefore = this.#clock.now() + this.#limits.minMs
  }

  /** Schedules the retry, and returns how long it waits: a second at first, then ever longer. */
  failed(): number {
    const wait = Math.min(FIRST_RETRY_MS * 2 ** this.#failures, this.#limits.retryMs)
    this.#failures++
    this.#notBefore = this.#clock.now() + wait
    this.#wanted = true
    return wait
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController()
    this.#wake = () => woken.abort()
    await this.#clock.sleep(ms, AbortSignal.any([signal, woken.signal]))
    this.#wake = undefined
  }
}
