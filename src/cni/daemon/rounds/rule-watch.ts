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
const LOOK_EVERY_MS = 10_000

/** Resolves when the signal has aborted. */
export async function watchRules({ repair, generation, clock, log, observed, signal }: RuleWatchParts): Promise<void> {
  let seen: number | undefined
  let lookAgainAt = 0
  let isFailing = false
  while (!signal.aborted) {
    const is = generation()
    if (clock.now() >= lookAgainAt && (is === undefined || is !== seen)) {
      lookAgainAt = clock.now() + LOOK_EVERY_MS
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
