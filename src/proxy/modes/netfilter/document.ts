import { restoreInto, type Tools } from '#dialects/iptables.ts'
import type { Plan, Ruleset, Unit } from '#proxy/modes/mode.ts'
import type { Command } from '#system/ports.ts'
import { blocks, emptied, type Heads, type Piece } from './blocks.ts'
import { filterSteps } from './filter-steps.ts'
import { inOrder, type Jumps } from './jumps.ts'
import { type ChainUnit, type LineUnit, type RuleUnit, ruleUnit, type Table } from './units.ts'

// A plan → one restore, in blocks that can each be applied alone: targets before the chains that jump to them, and a chain is
// deleted only after the last jump to it.

/** How a mode has its rules written. */
export interface Layout {
  readonly jumps: Jumps
  /** Chains, with the texts that they get → each after all that it jumps to. */
  order(texts: ReadonlyMap<string, string>): readonly string[]
  /** For a unit that other programs use as well: it is added, never removed. */
  stays?(unit: RuleUnit): boolean
  readonly heads?: Heads
}

export function restore(plan: Plan, { variant, ...tools }: Tools, layout: Layout): readonly Command[] {
  const wanted = new Map([...plan.add, ...plan.change])
  const { beforeNat, afterNat } = filterSteps(plan)
  const steps: readonly (readonly [Table, readonly Piece[]])[] = [
    ['mangle', written('mangle', wanted, layout)],
    ['filter', written('filter', beforeNat, layout)],
    ['nat', written('nat', wanted, layout)],
    ['filter', written('filter', afterNat, layout)],
    // Where everything goes, clients are refused until no rule leads them anywhere.
    ...REMOVED.map(table => [table, removed(table, plan.remove, layout)] as const),
  ]
  const input = steps.flatMap(([table, pieces]) => blocks(table, pieces, { variant, heads: layout.heads }))
  return input.length === 0 ? [] : [restoreInto({ variant, ...tools }, input.join(''))]
}

const REMOVED: readonly Table[] = ['nat', 'filter', 'mangle']

/** Chains, then the lines that jump into them. */
function written(table: Table, wanted: Ruleset, { order, jumps }: Layout): readonly Piece[] {
  const { chains, lines } = rulesIn(table, wanted.keys())
  const texts = new Map(chains.map(({ unit, chain }) => [chain, wanted.get(unit)!]))
  return [
    ...order(texts).map(chain => ({ chain, text: texts.get(chain)! })),
    ...inOrder(lines, jumps).map(({ line }) => ({ text: jumps.isLast?.(line) ? `-A ${line}` : `-I ${line}` })),
  ]
}

/** The reverse order; all chains are emptied first, because two that go may still jump to each other. */
function removed(table: Table, units: ReadonlySet<Unit>, { order, jumps, stays }: Layout): readonly Piece[] {
  const { chains, lines } = rulesIn(table, units, stays)
  const gone = order(new Map(chains.map(({ chain }) => [chain, '']))).toReversed()
  return [
    ...inOrder(lines, jumps).map(({ line }) => ({ text: `-D ${line}` })),
    ...gone.map(chain => ({ text: emptied(chain) })),
    ...gone.map(chain => ({ text: `-X ${chain}` })),
  ]
}

interface RulesInTable {
  readonly chains: readonly (ChainUnit & { readonly unit: Unit })[]
  readonly lines: readonly (LineUnit & { readonly unit: Unit })[]
}

function rulesIn(table: Table, units: Iterable<Unit>, leftOut: Layout['stays'] = () => false): RulesInTable {
  const chains: (ChainUnit & { readonly unit: Unit })[] = []
  const lines: (LineUnit & { readonly unit: Unit })[] = []
  for (const unit of units) {
    const rule = ruleUnit(unit)
    if (rule?.table !== table || leftOut(rule)) continue
    if (rule.kind === 'chain') chains.push({ ...rule, unit })
    else lines.push({ ...rule, unit })
  }
  return { chains, lines }
}
