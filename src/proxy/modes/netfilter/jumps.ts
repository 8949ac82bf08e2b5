import { comment, jump as jumpTo } from '#dialects/iptables.ts'
import { rule } from '#dialects/words.ts'
import type { Unit } from '#proxy/modes/mode.ts'
import { lineUnit, type Table } from './units.ts'

// Jumps from chains of other programs into ours → their units, and the order in which they stand there.

export type BaseJump = readonly [table: Table, chain: string, target: string, why: string | false, match?: string]

export function jumpUnit([table, chain, target, why, match]: BaseJump): Unit {
  return lineUnit(table, rule('-A', chain, match, why !== false && comment(why), jumpTo(target)))
}

/** The lines that a mode has in chains of other programs. */
export interface Jumps {
  /** In the order in which they are written. Each is put in front of all others, so that a chain shows them from the last to the first. */
  readonly units: readonly Unit[]
  /** For a line that is put behind the rules of other programs instead. */
  isLast?(line: string): boolean
}

/** Lines that are not listed stay as they are, behind the others. */
export function inOrder<T extends { readonly unit: Unit }>(lines: readonly T[], { units }: Jumps): readonly T[] {
  const places = new Map(units.map((unit, i) => [unit, i]))
  const placeOf = ({ unit }: T): number => places.get(unit) ?? units.length
  return lines.toSorted((a, b) => placeOf(a) - placeOf(b))
}
