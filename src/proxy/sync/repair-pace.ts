// Changes by other programs → when to repair. The first is repaired at once; while more follow, a moment after the last of
// them; and two programs that claim the same rules must not keep each other busy for ever.

/** After this long without another change, a burst is over. */
const QUIET_MS = 200
/** A burst that goes on is repaired this often all the same. */
const BURST_MS = 2000
/** This many repairs a minute come promptly; more show a program that keeps at it, and each then waits longer. */
const PROMPT_REPAIRS = 10
const RESTLESS_MS = 60_000
const FIRST_WAIT_MS = 500

export class RepairPace {
  readonly #longestMs: number
  #repairs: readonly number[] = []
  #changedAt = Number.NEGATIVE_INFINITY
  /** The first change that no run has repaired yet. */
  #pendingSince: number | undefined

  constructor(longestMs: number) {
    this.#longestMs = longestMs
  }

  /** Another program has changed rules of ours: returns when to repair them. */
  changed(now: number): number {
    const isBurst = now - this.#changedAt < QUIET_MS
    this.#changedAt = now
    this.#pendingSince ??= now
    const prompt = isBurst ? Math.min(now + QUIET_MS, this.#pendingSince + BURST_MS) : now
    return Math.max(prompt, this.#notBefore(now))
  }

  /** A run begins. */
  runs(now: number): void {
    if (this.#pendingSince !== undefined) this.#repairs = [...this.#repairs, now]
    this.#pendingSince = undefined
  }

  #notBefore(now: number): number {
    this.#repairs = this.#repairs.filter(at => now - at < RESTLESS_MS)
    const tooMany = this.#repairs.length - PROMPT_REPAIRS
    return tooMany < 0 ? now : this.#repairs.at(-1)! + Math.min(FIRST_WAIT_MS * 2 ** tooMany, this.#longestMs)
  }
}
