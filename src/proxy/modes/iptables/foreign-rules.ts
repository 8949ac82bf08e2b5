import type { ChainTexts } from 'iptables-parser'
import type { Unit } from '#proxy/modes/mode.ts'
import { chainUnit, type Table } from './names.ts'

// iptables-save → foreign rules that jump to chains of ours. While such a rule stands, the kernel refuses to delete the
// chain.

export interface Ownership {
  chain(table: Table, chain: string): boolean
  /** For a line in a chain that is not ours. */
  line(table: Table, chain: string, line: string): boolean
}

const TABLES: readonly Table[] = ['mangle', 'filter', 'nat']

/** The first such rule of each chain, and how many more there are. */
export function foreignRules(tables: ChainTexts, ours: Ownership): ReadonlyMap<Unit, string> {
  const found = new Map<Unit, string[]>()
  for (const table of TABLES) {
    for (const [chain, text] of tables.get(table) ?? []) {
      if (text === '' || ours.chain(table, chain)) continue
      for (const line of text.split('\n')) {
        const target = targetOf(line)
        if (target === undefined || !ours.chain(table, target) || ours.line(table, chain, line)) continue
        const unit = chainUnit(table, target)
        found.set(unit, [...(found.get(unit) ?? []), line])
      }
    }
  }
  return new Map([...found].map(([unit, lines]) => [unit, summary(lines)]))
}

/** The chain a rule jumps to, if its name starts with KUBE-. */
export function targetOf(line: string): string | undefined {
  return /-[jg] (KUBE-[A-Z0-9-]+)$/.exec(line)?.[1]
}

function summary([first, ...more]: readonly string[]): string {
  return more.length === 0 ? first! : `${first} (and ${more.length} more)`
}
