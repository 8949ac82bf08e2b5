import type { Clock } from '#system/ports.ts'
import type { Log } from '#telemetry/log/klog.ts'
import type { Repaired } from '../../repair/repair.ts'

// A ruleset that changes → a look at the rules of pods: those that another program has flushed stand again, and the log says so.

export interface RuleWatchParts {
  readonly repair: () => Promise<readonly Repaired[]>
  /** Grows with each change of the ruleset; undefined where that cannot be known: then each look is one at the rules. */
  readonly generation: () => number | undefined
  readonly clock: Clock
  readonly log: Log
  readonly observed: (repaired: Repaired) => void
  readonly signal: AbortSignal
}

/** Whether it has changed costs a question to the kernel, a look several processes. */
const ASK_EVERY_MS = 1000
/** On average, however often the ruleset changes. After a quiet time, a few looks may follow each other at once. */
const LOOK_EVERY_MS = 10_000
const LOOKS_AT_ONCE = 3

/** Resolves when the signal has aborted. */
export async function watchRules({ repair, generation, clock, log, observed, signal }: RuleWatchParts): Promise<void> {
  let seen: number | undefined
  const allowance = new Allowance(clock)
  let isFailing = false
  while (!signal.aborted) {
    const is = generation()
    const isChange = is !== undefined && seen !== undefined
    if (isChange ? is !== seen && allowance.hasSome : allowance.isRested) {
      allowance.take()
      try {
        const repaired = await repair()
        for (const one of repaired) observed(one)
        report(log, repaired)
        seen = repaired.some(({ outcome }) => outcome === 'failed') ? undefined : is
        isFailing = false
      } catch (error) {
        // Once, not every ten seconds.
        if (!isFailing) log.error('Rules of pods could not be looked at', error, { next: 'tried again every 10s' })
        isFailing = true
      }
    }
    await clock.sleep(ASK_EVERY_MS, signal)
  }
}

/** How many looks there may be now. */
class Allowance {
  readonly #clock: Pick<Clock, 'now'>
  /** Since the last look, and what was left then. */
  #taken = Number.NEGATIVE_INFINITY
  #left = 0

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  get hasSome(): boolean {
    return this.#now() >= 1
  }

  /** The last look was not just now. */
  get isRested(): boolean {
    return this.#clock.now() >= this.#taken + LOOK_EVERY_MS
  }

  take(): void {
    this.#left = Math.max(0, this.#now() - 1)
    this.#taken = this.#clock.now()
  }

  #now(): number {
    return Math.min(LOOKS_AT_ONCE, this.#left + (this.#clock.now() - this.#taken) / LOOK_EVERY_MS)
  }
}

/** A flush takes the rules of all pods: one line is enough. */
function report(log: Log, repaired: readonly Repaired[]): void {
  const written = repaired.filter(({ outcome }) => outcome === 'written')
  const failed = repaired.find(({ outcome }) => outcome === 'failed')
  if (written.length > 0) {
    const count = (kind: string): number => written.filter(({ rules }) => rules.kind === kind).length
    log.warning('Rules of pods were removed by another program, and stand again', {
      masquerade: count('masquerade'),
      hostPorts: count('hostports'),
    })
  }
  if (failed === undefined) return
  const { holder, kind } = failed.rules
  const next = 'tried again every 10s'
  log.error('Rules of a pod are gone, and could not be written anew', failed.error, { kind, ...holder, next })
}
