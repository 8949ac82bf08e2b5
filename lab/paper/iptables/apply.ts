import type { Change } from './change.ts'
import { NO_CHAIN, NO_RULE, notUnderstood, Refused, usage } from './refused.ts'
import type { Rule } from './rule/rule.ts'
import type { Table } from './table.ts'
import { complaint, type Objection } from './verify.ts'

// One change → the table after it, or a refusal. What iptables-nft leaves to the kernel is collected as errors of the commit.

/** An error that the kernel reports for an operation when the transaction is committed. */
export interface CommitError {
  readonly operation: string
  readonly error: Objection | 'Device or resource busy' | 'Operation not supported'
  /** `chain X`, `rule in chain X`. */
  readonly where: string
  /** Absent where there is no document. */
  readonly line?: number
}

export function ruleIn(chain: string): string {
  return `rule in chain ${chain}`
}

/** As the kernel's complaint names it. */
export function operationOf({ what }: Change): string {
  return `RULE_${what.toUpperCase()}`
}

export class Transaction {
  readonly #table: Table
  /** Rules that this transaction brought. */
  readonly #fresh = new Set<Rule>()
  #crashes = false
  /** Chains that were declared while they had rules: iptables-nft-restore 1.8.9 goes on counting the old ones. */
  readonly #miscounted = new Set<string>()
  #errors: readonly CommitError[] = []

  constructor(table: Table) {
    this.#table = table
  }

  /** iptables-nft-restore 1.8.9 dies at the commit when a rule replaces one of the same document. */
  get crashes(): boolean {
    return this.#crashes
  }

  get errors(): readonly CommitError[] {
    return this.#errors
  }

  apply(change: Change, line?: number): void {
    const errors = 'rule' in change ? this.#applyRule(change) : this.#applyOther(change)
    const at = line === undefined ? {} : { line }
    this.#errors = [...this.#errors, ...errors.map(error => ({ ...error, ...at }))]
  }

  #applyOther(change: Exclude<Change, { rule: Rule }>): readonly CommitError[] {
    if (change.what === 'remove') return this.#remove(change.chain)
    if (change.what === 'delete-at') this.#deleteAt(change.chain, change.position)
    else if (change.what === 'create') this.#create(change.chain)
    else if (change.what === 'flush') this.#flush(change.chain)
    else if (change.what === 'zero') this.#zero(change.chain)
    else if (change.what === 'policy') this.#setPolicy(change.chain, change.policy)
    else if (change.what === 'declare') this.#declare(change)
    return []
  }

  #applyRule(change: Extract<Change, { rule: Rule }>): readonly CommitError[] {
    const { what, chain, rule } = change
    this.#findTarget(rule)
    if (what !== 'append' && !(change.what === 'insert' && change.position === 1)) this.#refuseMiscounted(chain)
    if (what === 'check' || what === 'delete') {
      const at = this.#indexOf(chain, rule)
      if (what === 'delete') this.#table.splice(chain, at, 1)
      return []
    }
    if (!(what === 'replace' ? this.#table.has(chain) : this.#table.ensure(chain))) throw new Refused('table', NO_CHAIN)
    if (what === 'append') this.#table.splice(chain, this.#table.chain(chain).rules.length, 0, rule)
    else if (change.what === 'insert') this.#insert(chain, change.position, rule)
    else if (change.what === 'replace') this.#replace(chain, change.position, rule)
    this.#fresh.add(rule)
    return this.#ruleErrors(operationOf(change), chain, rule)
  }

  #indexOf(chain: string, { identity }: Rule): number {
    const at = this.#table.chain(chain).rules.findIndex(rule => rule.identity === identity)
    if (at < 0) throw new Refused('table', NO_RULE)
    return at
  }

  /** A word after -j that is no target must be a chain that is there. */
  #findTarget({ jump }: Rule): void {
    if (jump === undefined || this.#table.has(jump) || this.#table.isBuiltin(jump)) return
    throw usage(
      this.#table.variant === 'nft'
        ? `Chain '${jump}' does not exist`
        : `Couldn't load target \`${jump}':No such file or directory\n`,
    )
  }

  #insert(chain: string, position: number, rule: Rule): void {
    if (position > this.#table.chain(chain).rules.length + 1) throw new Refused('table', 'Index of insertion too big')
    this.#table.splice(chain, position - 1, 0, rule)
  }

  #replace(chain: string, position: number, rule: Rule): void {
    const old = this.#table.chain(chain).rules[position - 1]
    if (old === undefined) throw new Refused('table', 'Index of replacement too big')
    if (this.#table.variant === 'nft' && this.#fresh.has(old)) this.#crashes = true
    this.#table.splice(chain, position - 1, 1, rule)
  }

  #refuseMiscounted(chain: string): void {
    if (!this.#miscounted.has(chain)) return
    throw notUnderstood(`looking for a rule in ${chain}, which had others before it was declared,`)
  }

  #deleteAt(chain: string, position: number): void {
    this.#refuseMiscounted(chain)
    if (!this.#table.has(chain) && !this.#table.isBuiltin(chain)) throw new Refused('table', NO_CHAIN)
    if (position > this.#table.chain(chain).rules.length) throw new Refused('table', 'Index of deletion too big')
    this.#table.splice(chain, position - 1, 1)
  }

  /** What is wrong with a rule by itself, whatever hooks lead to it. Legacy reports it at the commit, if the rule is still there. */
  #ruleErrors(operation: string, chain: string, rule: Rule): readonly CommitError[] {
    const error = this.#jumpError(rule) ?? complaint(rule, this.#table) ?? this.#hookError(chain, rule)
    if (error === undefined || this.#table.variant === 'legacy') return []
    return [{ operation, error, where: ruleIn(chain) }]
  }

  #hookError(chain: string, { demands }: Rule): CommitError['error'] | undefined {
    if (demands.hooks === undefined || !this.#table.isBuiltin(chain)) return undefined
    return (demands.hooks as readonly string[]).includes(chain) ? undefined : 'Invalid argument'
  }

  #jumpError({ jump }: Rule): CommitError['error'] | undefined {
    if (jump === undefined || !this.#table.isBuiltin(jump)) return undefined
    if (this.#table.variant === 'legacy') throw new Refused('table', 'Invalid argument')
    return this.#table.has(jump) ? 'Operation not supported' : 'No such file or directory'
  }

  #create(chain: string): void {
    if (this.#table.has(chain) || this.#table.isBuiltin(chain)) throw new Refused('table', 'Chain already exists')
    this.#table.create(chain)
  }

  #remove(chain: string | undefined): readonly CommitError[] {
    if (chain === undefined) return this.#table.userChains().flatMap(each => this.#removeOne(each))
    if (!this.#table.has(chain)) throw new Refused('table', NO_CHAIN)
    if (this.#table.isBuiltin(chain)) throw new Refused('table', 'Invalid argument')
    return this.#removeOne(chain)
  }

  #removeOne(chain: string): readonly CommitError[] {
    const hasRules = this.#table.chain(chain).rules.length > 0
    const busy = hasRules || this.#table.references(chain) > 0
    if (busy && this.#table.variant === 'legacy') {
      throw new Refused('table', hasRules ? 'Directory not empty' : 'Too many links')
    }
    // For iptables-nft the chain is gone from here on, even though the kernel will refuse the whole transaction at its commit.
    this.#table.remove(chain)
    this.#miscounted.delete(chain)
    return busy ? [{ operation: 'CHAIN_DEL', error: 'Device or resource busy', where: `chain ${chain}` }] : []
  }

  #flush(chain: string | undefined): void {
    if (chain === undefined) {
      // After new rules in the same document, iptables-nft-restore 1.8.9 empties some chains and not others.
      if (this.#table.variant === 'nft' && this.#fresh.size > 0) throw notUnderstood('-F of everything after new rules')
      for (const each of this.#table.chainNames()) this.#empty(each)
      return
    }
    if (!this.#table.ensure(chain)) throw new Refused('table', NO_CHAIN)
    this.#empty(chain)
    this.#miscounted.delete(chain)
    // Given a name, iptables-nft drops what it was about to send to the kernel for that chain.
    this.#errors = this.#errors.filter(({ where }) => where !== ruleIn(chain))
  }

  #empty(chain: string): void {
    if (this.#table.has(chain)) this.#table.splice(chain, 0, Number.POSITIVE_INFINITY)
  }

  #zero(chain: string | undefined): void {
    if (chain !== undefined && !this.#table.has(chain)) throw new Refused('table', NO_CHAIN)
    for (const each of chain === undefined ? this.#table.chainNames() : [chain]) {
      if (!this.#table.has(each)) continue
      const { rules } = this.#table.chain(each)
      this.#table.splice(each, 0, rules.length, ...rules.map(rule => ({ ...rule, counters: '0:0' })))
      this.#table.setHead(each, { counters: '0:0' })
    }
  }

  #setPolicy(chain: string, policy: string): void {
    if (!this.#table.isBuiltin(chain)) throw new Refused('table', 'Bad built-in chain name')
    if (policy !== 'ACCEPT' && policy !== 'DROP') throw new Refused('table', 'Bad policy name')
    this.#table.ensure(chain)
    this.#table.setHead(chain, { policy })
  }

  /** `:CHAIN - [0:0]`: a user chain is made, or emptied if it was there; a built-in one keeps its rules. */
  #declare({ chain, policy, counters }: Extract<Change, { what: 'declare' }>): void {
    if (this.#table.isBuiltin(chain)) {
      if (policy !== '-') this.#setPolicy(chain, policy)
      this.#table.ensure(chain)
      this.#table.setHead(chain, { counters })
      return
    }
    if (this.#table.variant === 'legacy' && policy !== '-') {
      throw new Refused('table', 'Bad built-in chain name')
    }
    if (!this.#table.has(chain)) {
      this.#table.create(chain)
      return
    }
    if (this.#table.variant === 'nft' && this.#table.chain(chain).rules.length > 0) this.#miscounted.add(chain)
    this.#empty(chain)
  }
}
