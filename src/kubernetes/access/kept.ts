import type { Clock } from '#system/ports.ts'

// Something that is slow to get → one value for all callers, until it expires or is refused.

export interface Fetched<T> {
  readonly value: T
  /** Milliseconds since the epoch; absent where it is good until the API server refuses it. */
  readonly expiresAt?: number
}

/** Three watches that start together fetch once, and a fetch that failed is not kept. */
export class Kept<T> {
  readonly #fetch: () => Promise<Fetched<T>>
  readonly #clock: Clock
  #current: Fetched<T> | undefined
  #flight: Promise<Fetched<T>> | undefined

  constructor(fetch: () => Promise<Fetched<T>>, clock: Clock) {
    this.#fetch = fetch
    this.#clock = clock
  }

  async get(): Promise<T> {
    const { expiresAt = Number.POSITIVE_INFINITY } = this.#current ?? { expiresAt: 0 }
    if (this.#current !== undefined && expiresAt > this.#clock.now()) return this.#current.value
    this.#flight ??= this.#fetch().finally(() => {
      this.#flight = undefined
    })
    this.#current = await this.#flight
    return this.#current.value
  }

  /** Only the value that was refused is dropped: a late refusal of its predecessor says nothing about it. */
  drop(value: T): void {
    if (this.#current?.value === value) this.#current = undefined
  }
}
