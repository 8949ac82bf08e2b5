import type { Clock, Kernel, Outcome } from '#system/ports.ts'

// What became of what was to be swept away, and what everybody who sweeps needs.

export interface SweepParts {
  readonly kernel: Kernel
  readonly clock: Clock
}

export interface Swept {
  readonly removed: readonly Removed[]
  readonly remains: readonly Remnant[]
}

export interface Removed {
  readonly tool: string
  readonly count: number
  /** Of what: `chains`. */
  readonly what: string
}

export interface Remnant {
  readonly what: string
  readonly why: string
}

export const NOTHING: Swept = { removed: [], remains: [] }
/** A hundred thousand chains take their time. */
export const PATIENCE_MS = 10 * 60_000
/** How a Kernel says that there is no such program. */
export const NOT_THERE = 127

export function together(parts: readonly Swept[]): Swept {
  return { removed: parts.flatMap(({ removed }) => removed), remains: parts.flatMap(({ remains }) => remains) }
}

/** What a tool has to say for itself: the end of it, which is the reason. */
export function said({ code, stderr }: Pick<Outcome, 'code' | 'stderr'>): string {
  const line = stderr.trim().split('\n').at(-1)!.trim()
  return line === '' ? `exit status ${code}` : line
}
