import type { RegisteredUsage } from '#ipam/leases/changes/usage.ts'
import { rangesText } from '#ipam/ranges/range-bounds.ts'
import { freeOf, fullness } from '#ipam/table/fullness.ts'
import type { Clock } from '#system/ports.ts'
import type { Log } from '#telemetry/log/klog.ts'
import { type Level, levelAfter } from './levels.ts'

// The usage of all range sets → a warning before the last address is given, one when it is, and a line when there is room again.

export interface FullnessWatchParts {
  readonly usages: () => Promise<readonly RegisteredUsage[]>
  readonly clock: Clock
  readonly log: Log
  /** Called when a set has come to another level, and for one that is found to be nearly full at the first look. */
  readonly crossed: (usage: RegisteredUsage, level: Level, found: 'at-start' | 'later') => void
  readonly signal: AbortSignal
}

const EVERY_MS = 10_000

/** Resolves when the signal has aborted. */
export async function watchFullness(parts: FullnessWatchParts): Promise<void> {
  const { usages, clock, log, signal } = parts
  let levels: ReadonlyMap<string, Level> | undefined
  let isFailing = false
  while (!signal.aborted) {
    try {
      levels = compared(await usages(), levels, parts)
      isFailing = false
    } catch (error) {
      // Once, not every ten seconds.
      if (!isFailing) log.error('Addresses could not be counted', error, { next: 'tried again every 10s' })
      isFailing = true
    }
    await clock.sleep(EVERY_MS, signal)
  }
}

function compared(
  all: readonly RegisteredUsage[],
  before: ReadonlyMap<string, Level> | undefined,
  { log, crossed }: FullnessWatchParts,
): ReadonlyMap<string, Level> {
  return new Map(
    all.map(one => {
      const key = `${one.network} ${one.set}`
      const was = before?.get(key) ?? 'roomy'
      const is = levelAfter(was, fullness(one.usage))
      if (is !== was) {
        report(one, is, log)
        crossed(one, is, before === undefined ? 'at-start' : 'later')
      }
      return [key, is]
    }),
  )
}

function report({ network, set, ranges, usage }: RegisteredUsage, level: Level, log: Log): void {
  const { assigned, cooling, elsewhere } = usage
  const counts = { used: assigned, cooling, ...(elsewhere > 0 && { elsewhere }), free: String(freeOf(usage)) }
  const pairs = { network, set, range: rangesText(ranges), full: `${fullness(usage)}%`, ...counts }
  const look = `switchyard ipam ls --network ${network}`
  if (level === 'full') log.warning('Range set is full', { ...pairs, next: 'new pods get no address', look })
  else if (level === 'near') log.warning('Range set is nearly full', { ...pairs, look })
  else log.info(0, 'Range set has room again', pairs)
}
