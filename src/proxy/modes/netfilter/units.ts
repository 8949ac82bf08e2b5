import type { Unit } from '#proxy/modes/mode.ts'

// The units of a mode that speaks iptables. Their names are put together here, and read here alone.

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
  return `${table} ${chain}`
}

/** `line` from its `-A` on: it is its own name, so that `-D` can repeat it word for word. */
export function lineUnit(table: Table, line: string, copy = 1): Unit {
  return copy === 1 ? `${table} ${line}` : `${table} ${line} #${copy}`
}

/** Undefined for a unit that is no rule: a set, a listener. */
export function ruleUnit(unit: Unit): RuleUnit | undefined {
  const space = unit.indexOf(' ')
  const table = TABLES.find(one => one.length === space && unit.startsWith(one))
  if (table === undefined) return undefined
  const start = space + 1
  if (!unit.startsWith(LINE, start)) return { kind: 'chain', table, chain: unit.slice(start) }
  const line = unit.slice(start + LINE.length).replace(/ #\d+$/, '')
  return { kind: 'line', table, chain: line.slice(0, line.indexOf(' ')), line }
}

const LINE = '-A '
