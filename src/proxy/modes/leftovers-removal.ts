import type { Clock, Kernel, Outcome } from '#system/ports.ts'

// The result of removing leftovers, with the constants that every tool's removal shares.

export interface RemovalParts {
  readonly kernel: Kernel
  readonly clock: Clock
}

export interface RemovalResult {
  readonly removed: readonly RemovedCount[]
  readonly remains: readonly Remaining[]
}

export interface RemovedCount {
  readonly tool: string
  readonly count: number
  /** The things counted: `chains`. */
  readonly what: string
}

export interface Remaining {
  readonly what: string
  readonly why: string
}

export const NOTHING: RemovalResult = { removed: [], remains: [] }
/** Deleting a hundred thousand chains can take minutes. */
export const PATIENCE_MS = 10 * 60_000

export function merged(parts: readonly RemovalResult[]): RemovalResult {
  return { removed: parts.flatMap(({ removed }) => removed), remains: parts.flatMap(({ remains }) => remains) }
}

/** The reason a tool gives: the last line of stderr. */
export function reasonOf({ code, stderr }: Pick<Outcome, 'code' | 'stderr'>): string {
  const line = stderr.trim().split('\n').at(-1)!.trim()
  return line === '' ? `exit status ${code}` : line
}
