import type { Command, Outcome } from '#system/ports.ts'
import type { Family } from '#values/address.ts'

// The paper tools of one machine: how each is run, and the objects of one that another refers to.

/** One tool (iptables, nft, ipset, …) under all its program names, and what it has put into the machine. */
export interface PaperTool {
  /** True for the name of one of its programs, without folders. */
  answersTo(program: string): boolean
  run(command: Command): Outcome
  /** One line for each object, with the table or chain it belongs to; in the order of the kernel. */
  dump(): readonly string[]
  /** Deletes everything it made. */
  flush(): void
  /** A copy that does not share state with this one. */
  clone(machine: Machine): PaperTool
}

/** The objects that rules refer to and other tools make. */
export interface Machine {
  /** IP sets by name: ipset makes them, iptables rules refer to them. */
  readonly sets: Map<string, { readonly family: Family | 'any' }>
  /** Each says whether a rule of one tool looks up the set of this name: it cannot be destroyed then. */
  readonly lookups: Set<(set: string) => boolean>
  /** nfacct objects: iptables rules refer to them; a test makes them. */
  readonly accounts: Set<string>
}

export function newMachine(): Machine {
  return { sets: new Map(), lookups: new Set(), accounts: new Set() }
}

/** Without its tools: their copies say for themselves what they look up. */
export function copyOf({ sets, accounts }: Machine): Machine {
  return { sets: new Map(sets), lookups: new Set(), accounts: new Set(accounts) }
}
