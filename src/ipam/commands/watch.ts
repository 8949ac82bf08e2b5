import type { Clock } from '#system/ports.ts'
import { shownMoment } from '#values/moment.ts'
import type { LeaseList } from './list.ts'

// `ipam ls --watch`: the list, and the list again each time it has changed.

export interface WatchParts {
  readonly list: (now: number) => LeaseList
  /** Whether any process has written since it was asked last. */
  readonly hasChanged: () => boolean
  /** A terminal shows one list in place of the other; in a pipe each has its time above it, and a program gets only the lists. */
  readonly shownOn: 'terminal' | 'pipe' | 'program'
  /** False where the reader is gone. */
  readonly print: (text: string) => boolean
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** The database is asked for one number. */
const EVERY_MS = 250
const CLEAR = '\u001b[H\u001b[2J\u001b[3J'

/** Resolves when the signal has aborted, or the reader is gone. */
export async function watchLeases({ list, hasChanged, shownOn, print, clock, signal }: WatchParts): Promise<void> {
  let shown: LeaseList | undefined
  while (!signal.aborted) {
    const now = clock.now()
    const isOver = shown?.until !== undefined && shown.until <= now
    if (hasChanged() || isOver || shown === undefined) {
      const next = list(now)
      const isAnother = next.text !== shown?.text
      const between = shownOn === 'pipe' && shown !== undefined ? `\n${shownMoment(now)}\n` : ''
      const head = shownOn === 'terminal' ? CLEAR : between
      if (isAnother && !print(head + next.text)) return
      shown = next
    }
    await clock.sleep(EVERY_MS, signal)
  }
}
