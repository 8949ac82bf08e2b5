import type { Family } from '#values/address.ts'
import { TABLE_NAMES, type TableName, type Variant } from './builtin.ts'
import { Table } from './table.ts'

// All tables of one family under one iptables: iptables-nft and iptables-legacy do not see each other's.

export class Ruleset {
  readonly family: Family
  readonly variant: Variant
  #tables: ReadonlyMap<TableName, Table> = new Map()

  constructor({ family, variant }: Pick<Ruleset, 'family' | 'variant'>) {
    this.family = family
    this.variant = variant
  }

  clone(): Ruleset {
    const twin = new Ruleset(this)
    // Neither this map nor a table that is in force is ever changed, only replaced.
    twin.#tables = this.#tables
    return twin
  }

  /** For legacy, asking for a table makes it. */
  table(name: TableName): Table {
    const found = this.#tables.get(name)
    if (found !== undefined) return found
    const fresh = new Table({ name, family: this.family, variant: this.variant })
    if (this.variant === 'legacy') this.put(fresh)
    return fresh
  }

  put(table: Table): void {
    this.#tables = new Map(this.#tables).set(table.name, table)
  }

  /** Those that are there, in the order in which they are printed. */
  existing(): readonly Table[] {
    return TABLE_NAMES.flatMap(name => this.#tables.get(name) ?? []).filter(({ exists }) => exists)
  }

  /** Deletes all rules and user chains; policies stay. */
  flush(): void {
    for (const table of this.existing()) {
      const empty = table.draft()
      for (const chain of empty.chainNames()) if (empty.has(chain)) empty.splice(chain, 0, Number.POSITIVE_INFINITY)
      for (const chain of empty.userChains()) empty.remove(chain)
      this.put(empty)
    }
  }
}
