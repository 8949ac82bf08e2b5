// The outcomes of a probe, one after another → what it says, by its thresholds.

export interface ProbeCounts {
  readonly verdict: 'unknown' | 'success' | 'failure'
  /** How often the outcome has been the same, without a break. */
  readonly streak: number
  readonly last?: 'success' | 'failure'
}

export interface Thresholds {
  readonly successThreshold?: number
  readonly failureThreshold?: number
}

export const NO_COUNTS: ProbeCounts = { verdict: 'unknown', streak: 0 }

export function counted(before: ProbeCounts, last: 'success' | 'failure', thresholds: Thresholds): ProbeCounts {
  const streak = before.last === last ? before.streak + 1 : 1
  const needed = (last === 'success' ? thresholds.successThreshold : thresholds.failureThreshold) ?? USUAL[last]
  return { verdict: streak >= needed ? last : before.verdict, streak, last }
}

const USUAL = { success: 1, failure: 3 } as const
