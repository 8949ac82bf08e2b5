import type { Hook, TableName, Variant } from '#lab/paper/iptables/builtin.ts'
import type { Machine } from '#lab/paper/machine.ts'
import type { Family } from '#values/address.ts'

// The shape of a match or a target: which options it knows, how iptables-save prints them, what the kernel requires of it.

/** The tool, table and chain a rule is written for. */
export interface RuleContext {
  readonly family: Family
  readonly variant: Variant
  readonly table: TableName
  readonly chain: string
  readonly machine: Machine
}

/** The protocol word of a rule; absent where any protocol will do. */
export interface ProtocolWord {
  readonly name: string
  readonly inverted: boolean
}

export interface Option {
  readonly flag: string
  readonly aliases?: readonly string[]
  /** Absent for an option that stands alone. Text → how it is printed; undefined where it says nothing and is left out. */
  readonly value?: (text: string, context: RuleContext) => string | undefined
  readonly invertible?: true
  /** How many words make its value, where it is not one. */
  readonly words?: number
  /** What stands between flag and value where it is not one space. */
  readonly gap?: string
}

export interface Given {
  readonly text?: string | undefined
  readonly inverted: boolean
}

/** What was given, by the option's flag. */
export type Givens = Map<string, Given>

/** What the kernel requires of a rule when a transaction is committed; an absent field requires nothing. */
export interface Demands {
  readonly table?: TableName
  /** Only chains that packets reach from these built-in chains alone. */
  readonly hooks?: readonly Hook[]
  /** Set where the kernel refuses the rule in every chain. */
  readonly refused?: 'Invalid argument' | 'No such file or directory'
}

export interface Extension {
  readonly name: string
  /** In the order in which iptables-save prints them. */
  readonly options: readonly Option[]
  /** Once all words are known: refuses what does not go together, adds what is printed although it was not written. */
  readonly finish?: (given: Givens, context: RuleContext, protocol: ProtocolWord | undefined) => void
  /** What the tool compares although it does not print it, from the words as they were given. */
  readonly spelling?: (given: Givens, context: RuleContext) => string
  readonly demands?: (given: Givens, context: RuleContext, protocol: ProtocolWord | undefined) => Demands
}
