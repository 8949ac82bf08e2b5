// When things were made, and how much is free → when a range is full, if it goes on so.

export type FillEstimate =
  | { readonly when: 'now' | 'not-growing' | 'unknown' }
  | { readonly when: 'later'; readonly days: number; readonly perDay: number }

export interface FillRequest {
  /** Of each number that is taken; undefined where it is not known. */
  readonly created: readonly (number | undefined)[]
  readonly free: bigint
  /** When the cluster was made, as far as its objects say. */
  readonly since: number | undefined
  readonly now: number
}

const DAY_MS = 86_400_000
/** The rate is that of these days: long enough for a week's rhythm, short enough for this year's growth. */
export const WINDOW_DAYS = 30

/**
 * Only what is there now has a creation time: what was deleted in those days made room and is not seen. So the true date is
 * later, never earlier.
 */
export function fillEstimate({ created, free, since = NaN, now }: FillRequest): FillEstimate {
  if (free === 0n) return { when: 'now' }
  const times = created.filter(time => time !== undefined && time <= now) as number[]
  const days = Math.min(WINDOW_DAYS, (now - since) / DAY_MS)
  // A cluster of one day has no rate: all of it was made at once.
  if (!(days >= 1)) return { when: 'unknown' }
  const recent = times.filter(time => time > now - days * DAY_MS).length
  if (recent === 0) return { when: 'not-growing' }
  const perDay = recent / days
  return { when: 'later', days: Number(free) / perDay, perDay }
}

export function fillText(estimate: FillEstimate): string {
  if (estimate.when !== 'later') return { now: 'now', unknown: '-', 'not-growing': 'never' }[estimate.when]
  const { days } = estimate
  if (days < 1) return 'in hours'
  if (days < 100) return `in ${Math.floor(days)} d`
  if (days < 2 * 365) return `in ${Math.floor(days / 30.4)} months`
  return days < 100 * 365 ? `in ${Math.floor(days / 365)} y` : '> 100 y'
}
