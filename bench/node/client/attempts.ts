// How the connections of a client ended, oldest first → what that means for the client.

export interface Attempt {
  /** When it was opened, in milliseconds of the machine's time of day. */
  readonly at: number
  /** `answered`, `silence`, or the code of an error. */
  readonly end: string
}

export interface Lost {
  readonly count: number
  /** The longest row of lost ones, from its first to the next that was not lost. */
  readonly longestMs: number
}

/**
 * Lost is one that neither was answered nor refused, as where a rule was gone before the next stood; and one that was refused
 * between two that were answered.
 */
export function lostAmong(attempts: readonly Attempt[]): Lost {
  const answered = attempts.map(({ end }) => end === 'answered')
  const [first, last] = [answered.indexOf(true), answered.lastIndexOf(true)]
  const isLost = (i: number): boolean =>
    attempts[i]!.end === 'ECONNREFUSED' ? first < i && i < last : attempts[i]!.end !== 'answered'
  let [count, longestMs] = [0, 0]
  let from: number | undefined
  for (const [i, { at }] of attempts.entries()) {
    if (isLost(i)) {
      count++
      from ??= at
    }
    if (from !== undefined) longestMs = Math.max(longestMs, at - from)
    if (!isLost(i)) from = undefined
  }
  return { count, longestMs }
}

/** From the first that was not answered to the first that was, after the last that was not; null where none was after it. */
export function outageMs(attempts: readonly Attempt[]): number | null {
  const first = attempts.findIndex(({ end }) => end !== 'answered')
  if (first < 0) return 0
  const last = attempts.findLastIndex(({ end }) => end !== 'answered')
  const after = attempts[last + 1]
  return after === undefined ? null : after.at - attempts[first]!.at
}

/** How the newest of them ended, where all that were opened within this long before it ended the same way. */
export function steadyEnd(attempts: readonly Attempt[], forMs: number): string | undefined {
  const newest = attempts.at(-1)
  if (newest === undefined || newest.at - attempts[0]!.at < forMs) return undefined
  const recent = attempts.filter(({ at }) => at >= newest.at - forMs)
  return recent.every(({ end }) => end === newest.end) ? newest.end : undefined
}
