import { asPart, asUnit, type Part, textOf, type Unit } from '#proxy/modes/unit.ts'

// The units of a mode that speaks iptables, and the chains as parts of the ruleset. Their names are put together here, and read
// here alone.

export type Table = 'mangle' | 'filter' | 'nat'
export const TABLES: readonly Table[] = ['mangle', 'filter', 'nat']

export type RuleUnit = ChainUnit | LineUnit

/** A whole chain, replaced in one go. */
export interface ChainUnit {
  readonly kind: 'chain'
  readonly table: Table
  readonly chain: string
}

/** One line of ours in a chain that other programs use, too. */
export interface LineUnit {
  readonly kind: 'line'
  readonly table: Table
  /** The chain it stands in. */
  readonly chain: string
  /** Without its leading `-A`. */
  readonly line: string
}

export function chainUnit(table: Table, chain: string): Unit {
  return asUnit(`${table} ${chain}`)
}

/** `line` from its `-A` on: it is its own name, so that `-D` can repeat it word for word. */
export function lineUnit(table: Table, line: string, copy = 1): Unit {
  return asUnit(copy === 1 ? `${table} ${line}` : `${table} ${line} #${copy}`)
}

/** The table of a rule; undefined for a unit that is none: a set, a listener. */
export function tableOf(unit: Unit): Table | undefined {
  const text = textOf(unit)
  return TABLES.find(table => text[table.length] === ' ' && text.startsWith(table))
}

/** Undefined for a unit that is no rule. */
export function ruleUnit(unit: Unit): RuleUnit | undefined {
  const table = tableOf(unit)
  if (table === undefined) return undefined
  const text = textOf(unit)
  const start = table.length + 1
  if (!text.startsWith(LINE, start)) return { kind: 'chain', table, chain: text.slice(start) }
  const line = text.slice(start + LINE.length).replace(/ #\d+$/, '')
  return { kind: 'line', table, chain: line.slice(0, line.indexOf(' ')), line }
}

/** A part has the text of the unit that is the whole chain. */
export function chainPart(table: Table, chain: string): Part {
  return asPart(textOf(chainUnit(table, chain)))
}

export function wholeChain(part: Part): Unit {
  return asUnit(textOf(part))
}

/** The chain that a rule stands in; undefined for a unit that is no rule. */
export function partOf(unit: Unit): Part | undefined {
  const rule = ruleUnit(unit)
  if (rule?.kind === 'line') return chainPart(rule.table, rule.chain)
  return rule && asPart(textOf(unit))
}

export function chainOf(part: Part): Pick<RuleUnit, 'table' | 'chain'> {
  const { table, chain } = ruleUnit(wholeChain(part))!
  return { table, chain }
}

const LINE = '-A '
