import type { Spread } from '../report/statistics.ts'

// What passes through a relay, by the way it takes.

export const WAYS = ['direct', 'switchyard', 'plain'] as const
export type Way = (typeof WAYS)[number]

/** By way, the median of all rounds. */
export interface UserspaceFigures {
  readonly bits: Readonly<Record<1 | 8, Readonly<Record<Way, number>>>>
  readonly connections: Readonly<Record<Way, number>>
  /** Microseconds from a question to its answer over an open connection, and over one of its own. */
  readonly answer: Readonly<Record<Way, Spread>>
  readonly afresh: Readonly<Record<Way, Spread>>
  /** Kilobytes of memory that each of so many idle connections takes. */
  readonly idle: { readonly connections: number; readonly kilobytes: Readonly<Record<Exclude<Way, 'direct'>, number>> }
}
