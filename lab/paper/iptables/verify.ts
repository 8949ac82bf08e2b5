import { BUILTIN, type Hook } from './builtin.ts'
import type { Rule } from './rule/rule.ts'
import type { Table } from './table.ts'

// A whole table → why the kernel refuses it: rules in a table or hook that does not take them, circles of jumps, and jumps
// too deep.

export type Complaint = 'Invalid argument' | 'No such file or directory'
export type Objection = Complaint | 'Too many links'

/** How deep nf_tables lets chains call each other, the built-in one included. */
const NFT_DEPTH = 16

/** Legacy does not look at rules after one of these, since no packet gets there. */
const ENDS = ['-j ACCEPT', '-j DROP', '-j RETURN']

/** What is wrong with a rule by itself, whatever hooks lead to it. */
export function complaint({ demands }: Rule, table: Table): Complaint | undefined {
  return demands.table !== undefined && demands.table !== table.name ? 'Invalid argument' : demands.refused
}

export function objection(table: Table): Objection | undefined {
  const outOfPlace = table.variant === 'legacy' ? anyComplaint(table) : undefined
  if (outOfPlace !== undefined) return outOfPlace
  for (const hook of BUILTIN[table.name]) {
    const found = new Walk(table, hook).from(hook)
    if (typeof found === 'string') return found
  }
  return undefined
}

/** nf_tables checks each rule when it is added; legacy checks all rules at the commit. */
function anyComplaint(table: Table): Complaint | undefined {
  for (const chain of table.chainNames()) {
    for (const rule of table.chain(chain).rules) {
      const found = complaint(rule, table)
      if (found !== undefined) return found
    }
  }
  return undefined
}

/** The chains that packets of one hook may reach. */
class Walk {
  readonly #table: Table
  readonly #hook: Hook
  /** How deep each chain goes; 0 while it is being looked at. */
  readonly #depths = new Map<string, number>()

  constructor(table: Table, hook: Hook) {
    this.#table = table
    this.#hook = hook
  }

  /** The depth of everything from this chain on. */
  from(chain: string): number | Objection {
    this.#depths.set(chain, 0)
    let deepest = 0
    for (const rule of this.#table.chain(chain).rules) {
      const depth = this.#below(rule)
      if (typeof depth === 'string') return depth
      deepest = Math.max(deepest, depth)
      if (this.#table.variant === 'legacy' && ENDS.includes(rule.text)) break
    }
    const depth = deepest + 1
    this.#depths.set(chain, depth)
    return this.#table.variant === 'nft' && depth > NFT_DEPTH ? 'Too many links' : depth
  }

  #below({ jump, demands }: Rule): number | Objection {
    if (demands.hooks !== undefined && !demands.hooks.includes(this.#hook)) return 'Invalid argument'
    if (jump === undefined) return 0
    const known = this.#depths.get(jump)
    if (known === 0) return 'Too many links'
    return known ?? this.from(jump)
  }
}
