import type { Family } from '#values/address.ts'
import { BUILTIN, type TableName, type Variant } from './builtin.ts'
import type { Rule } from './rule/rule.ts'

// Chains and rules of one table, and the copy of it on which a transaction works.

export interface Chain {
  /** Only built-in chains have one. */
  readonly policy?: string
  readonly counters: string
  readonly rules: readonly Rule[]
}

const EMPTY_CHAIN: Chain = { counters: '0:0', rules: [] }
const EMPTY_BUILTIN: Chain = { ...EMPTY_CHAIN, policy: 'ACCEPT' }

export class Table {
  readonly name: TableName
  readonly family: Family
  readonly variant: Variant
  /** iptables-nft makes a table, and a built-in chain in it, only when something is put there. */
  #exists = false
  #chains = new Map<string, Chain>()
  /** How many rules jump to a chain. */
  #references = new Map<string, number>()
  /** The rules of these chains belong to this copy alone and may be changed in place. */
  readonly #own = new Map<string, Rule[]>()

  constructor({ name, family, variant }: Pick<Table, 'name' | 'family' | 'variant'>) {
    this.name = name
    this.family = family
    this.variant = variant
    if (variant === 'legacy') for (const hook of BUILTIN[name]) this.create(hook)
  }

  get exists(): boolean {
    return this.#exists
  }

  draft(): Table {
    const draft = new Table(this)
    draft.#exists = this.#exists
    draft.#chains = new Map(this.#chains)
    draft.#references = new Map(this.#references)
    return draft
  }

  isBuiltin(chain: string): boolean {
    return (BUILTIN[this.name] as readonly string[]).includes(chain)
  }

  has(chain: string): boolean {
    return this.#chains.has(chain)
  }

  /** A built-in chain that was never made looks like an empty one. */
  chain(name: string): Chain {
    return this.#chains.get(name) ?? (this.isBuiltin(name) ? EMPTY_BUILTIN : EMPTY_CHAIN)
  }

  /** Built-in ones as packets meet them, then the others by name. */
  chainNames(): readonly string[] {
    return [...BUILTIN[this.name], ...this.userChains()]
  }

  userChains(): readonly string[] {
    return [...this.#chains.keys()].filter(name => !this.isBuiltin(name)).sort()
  }

  references(chain: string): number {
    return this.#references.get(chain) ?? 0
  }

  create(chain: string): void {
    this.#exists = true
    this.#chains.set(chain, this.isBuiltin(chain) ? EMPTY_BUILTIN : EMPTY_CHAIN)
  }

  /** True where the chain exists; a built-in chain is made when it is first used. */
  ensure(chain: string): boolean {
    if (!this.has(chain) && this.isBuiltin(chain)) this.create(chain)
    return this.has(chain)
  }

  remove(chain: string): void {
    this.#chains.delete(chain)
    this.#own.delete(chain)
  }

  /** As `splice` on an array: deletes rules at an index and inserts others there. */
  splice(chain: string, at: number, count: number, ...rules: readonly Rule[]): void {
    const own = this.#own.get(chain) ?? [...this.chain(chain).rules]
    this.#own.set(chain, own)
    for (const { jump } of own.splice(at, count, ...rules)) this.#refer(jump, -1)
    for (const { jump } of rules) this.#refer(jump, 1)
    this.#chains.set(chain, { ...this.chain(chain), rules: own })
  }

  setHead(chain: string, head: Partial<Pick<Chain, 'policy' | 'counters'>>): void {
    this.#chains.set(chain, { ...this.chain(chain), ...head })
  }

  /** What a restore without --noflush begins with. Only legacy keeps the policies. */
  wipe(): void {
    const kept = this.variant === 'legacy' ? BUILTIN[this.name] : []
    for (const name of this.#chains.keys()) {
      if (!(kept as readonly string[]).includes(name)) this.#chains.delete(name)
      else this.#chains.set(name, { ...this.chain(name), rules: [] })
    }
    this.#own.clear()
    this.#references.clear()
  }

  #refer(chain: string | undefined, by: 1 | -1): void {
    if (chain !== undefined) this.#references.set(chain, this.references(chain) + by)
  }
}
