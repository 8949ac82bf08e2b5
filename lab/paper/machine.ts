import type { Command, Outcome } from '#system/ports.ts'
import type { Family } from '#values/address.ts'

// What the paper tools of one machine have in common: how each is asked, and what one may know of another's things.

/** One tool (iptables, nft, ipset, …) under all its program names, and what it has put into the machine. */
export interface PaperTool {
  /** Whether this is one of its programs, by the file name without folders. */
  answersTo(program: string): boolean
  run(command: Command): Outcome
  /** One line a thing, each telling on its own where it belongs; in the order in which it stands there. */
  dump(): readonly string[]
  /** Everything it ever put there is gone. */
  flush(): void
  /** The same again, independent of this one. */
  clone(machine: Machine): PaperTool
}

/** What one tool may know of another's things. */
export interface Machine {
  /** IP sets by name: ipset makes them, iptables rules refer to them. */
  readonly sets: Map<string, { readonly family: Family }>
  /** nfacct objects: rules refer to them, and somebody else makes them. */
  readonly accounts: Set<string>
}

export function newMachine(): Machine {
  return { sets: new Map(), accounts: new Set() }
}

export function copyOf({ sets, accounts }: Machine): Machine {
  return { sets: new Map(sets), accounts: new Set(accounts) }
}
