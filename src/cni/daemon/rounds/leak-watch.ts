import type { LeakSettings } from '#config/settings.ts'
import type { AddressConflict, LeakBook } from '#ipam/leases/leaks/leak-book.ts'
import type { Clock } from '#system/ports.ts'
import type { Log } from '#telemetry/log/klog.ts'
import type { LeakNumbers } from '#telemetry/numbers/leaks.ts'
import {
  type JudgedPage,
  type PageVisit,
  type RoundAttachment,
  type RoundEnd,
  suspicionsAfter,
} from '../../leaks/round.ts'
import type { TakenBack } from '../../leaks/take-back.ts'
import type { AddressEvents } from '../events/address-events.ts'
import { LeakCounts } from './leak-counts.ts'
import { conflictKey, LeakReport } from './leak-report.ts'

// A round each period → what it finds is kept, reported, and taken back where that is asked for.

export interface LeakWatchParts {
  readonly settings: LeakSettings
  readonly book: () => Promise<LeakBook>
  readonly round: (visit: PageVisit) => Promise<RoundEnd>
  /** Between the calls of its container. */
  readonly takeBack: (attachment: RoundAttachment) => Promise<TakenBack>
  readonly apiFailure: () => string | undefined
  readonly clock: Clock
  readonly log: Log
  readonly events: Pick<AddressEvents, 'round'>
  readonly observed: (numbers: LeakNumbers | 'failed') => void
  readonly signal: AbortSignal
}

/** Resolves when the signal has aborted; of a round that is under way, the page it is at ends first. */
export async function watchLeaks(parts: LeakWatchParts): Promise<void> {
  const { settings, clock, log, observed, signal } = parts
  if (settings.periodMs === 0) return
  const report = new LeakReport(log, settings.found)
  while (!signal.aborted) {
    try {
      observed(await oneRound(parts, report))
    } catch (error) {
      if (signal.aborted && error === signal.reason) return
      log.error('Leases could not be compared with what uses them', error, { next: 'the next round tries again' })
      observed('failed')
    }
    await clock.sleep(settings.periodMs, signal)
  }
}

async function oneRound(parts: LeakWatchParts, report: LeakReport): Promise<LeakNumbers> {
  const { clock, apiFailure, events } = parts
  const began = clock.now()
  const book = await parts.book()
  const before = await book.conflicts()
  const [counts, roundEvents] = [new LeakCounts(), events.round()]
  const found = (attachment: RoundAttachment): void => {
    report.found(attachment)
    counts.judged(attachment)
    if (isNewLeak(attachment) && parts.settings.found === 'report') roundEvents.found(attachment)
  }
  const taken = (one: TakenBack): void => {
    report.takenBack(one)
    if (one.outcome !== 'freed') return
    counts.freed(one.attachment)
    roundEvents.freed(one.attachment)
  }
  const visit = async (page: JudgedPage): Promise<void> => {
    parts.signal.throwIfAborted()
    await book.keepSuspicions(page.known, suspicionsAfter(page))
    page.attachments.forEach(found)
    await takeBackLeaked(page, parts, taken)
  }
  // Leaks that were found are kept, so a round that fails midway reports them, too.
  const { conflicts, failed } = await parts.round(visit).finally(() => roundEvents.leaks())
  await book.keepConflicts(conflicts)
  report.witnesses(failed, apiFailure())
  report.conflicts(conflicts, goneSince(before, conflicts))
  roundEvents.conflicts(conflicts)
  return { ...counts.numbers(), conflicts: conflicts.length, failedWitnesses: failed, tookMs: clock.now() - began }
}

function isNewLeak({ verdict, before }: RoundAttachment): boolean {
  return verdict.is === 'leaked' && before !== 'leaked'
}

async function takeBackLeaked(
  { attachments }: JudgedPage,
  { settings, signal, takeBack }: LeakWatchParts,
  taken: (one: TakenBack) => void,
): Promise<void> {
  if (settings.found !== 'free') return
  for (const attachment of attachments) {
    if (attachment.verdict.is !== 'leaked') continue
    if (signal.aborted) return
    taken(await takeBack(attachment))
  }
}

function goneSince(
  before: readonly AddressConflict[],
  conflicts: readonly AddressConflict[],
): readonly AddressConflict[] {
  const now = new Set(conflicts.map(conflictKey))
  return before.filter(one => !now.has(conflictKey(one)))
}
