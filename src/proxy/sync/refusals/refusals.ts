import type { Refused } from './isolation.ts'

// Owners whose entries the kernel refuses → which of them is tried again, and when: each alone, and ever later.

interface Refusal extends Refused {
  readonly waitMs: number
  readonly retryAt: number
}

const FIRST_WAIT_MS = 10_000
const LONGEST_WAIT_MS = 10 * 60_000

export class Refusals {
  readonly #refusals = new Map<string, Refusal>()

  /** Owners to try again now. */
  due(now: number): readonly string[] {
    return [...this.#refusals].filter(([, { retryAt }]) => retryAt <= now).map(([owner]) => owner)
  }

  /** Of owners that wait now: what the kernel refuses. */
  get waiting(): readonly Refused[] {
    return [...this.#refusals.values()].map(({ owner, unit, error }) => ({ owner, unit, error }))
  }

  /** When the next is due; Infinity where none waits. */
  get nextAt(): number {
    return Math.min(...[...this.#refusals.values()].map(({ retryAt }) => retryAt))
  }

  /** After a sync: what it found refused, and what is withheld of all; returns what has not been reported before. */
  record(refused: readonly Refused[], withheld: { has(owner: string): boolean }, now: number): readonly Refused[] {
    for (const owner of this.#refusals.keys()) if (!withheld.has(owner)) this.#refusals.delete(owner)
    return refused.filter(one => {
      const { owner } = one
      const before = this.#refusals.get(owner)
      const waitMs = before === undefined ? FIRST_WAIT_MS : Math.min(before.waitMs * 2, LONGEST_WAIT_MS)
      this.#refusals.set(owner, { ...one, waitMs, retryAt: now + waitMs })
      return before === undefined
    })
  }
}
