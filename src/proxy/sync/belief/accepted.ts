import type { Mode, Plan, Unit } from '#proxy/modes/mode.ts'
import { textOf } from '#proxy/modes/unit.ts'
import { type Done, type Foreign, unitsOf, untouched } from '../done.ts'
import { type Belief, NO_UNITS, NOTHING_BEFORE } from './belief.ts'

// A plan that is carried out → what is believed from now on, and what the plan shows of other programs.

export interface Accepted extends Pick<Done, 'drift' | 'unknown' | 'blocked'> {
  readonly belief: Belief
}

export interface AcceptedParts {
  readonly mode: Mode
  readonly last: Belief | undefined
  readonly installed: Map<Unit, string>
}

export function accepted(
  plan: Plan,
  { touched, unknown, isChecked, blocked, hasAsked }: Foreign,
  { mode, last, installed }: AcceptedParts,
): Accepted {
  const before = last ?? NOTHING_BEFORE
  const newly = hasAsked ? [...blocked].filter(([unit]) => !before.blocked.has(unit)) : []
  return {
    belief: {
      installed,
      // One that is written again, or deleted at last, is empty no more; what can only be emptied now is.
      emptied: before.emptied.difference(new Set(unitsOf(plan))).union(mode.emptied?.(plan) ?? NO_UNITS),
      blocked: hasAsked ? blocked : before.blocked,
    },
    drift: last !== undefined && isChecked ? untouched(plan, touched.union(before.emptied).union(unknown)) : [],
    unknown: last === undefined ? 0 : unknown.size,
    blocked: newly.map(([unit, by]) => ({ unit: textOf(unit), by })),
  }
}
