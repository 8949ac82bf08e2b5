import type { Holder } from '#ipam/leases/lease-book.ts'
import type { KeptRules, RuleBook, RuleKind } from '#ipam/leases/rules/rule-book.ts'

// A RuleBook in memory.

export class PaperRuleBook implements RuleBook {
  #rules: readonly KeptRules[] = []

  async keep(rules: KeptRules): Promise<void> {
    await this.forget(rules.holder, rules.kind)
    this.#rules = [...this.#rules, rules]
  }

  async forget(holder: Holder, kind: RuleKind): Promise<void> {
    this.#rules = this.#rules.filter(one => one.kind !== kind || !isSame(one.holder, holder))
  }

  async keepOnly(network: string, holders: readonly Holder[], kind: RuleKind): Promise<void> {
    this.#rules = this.#rules.filter(
      one => one.kind !== kind || one.holder.network !== network || holders.some(holder => isSame(one.holder, holder)),
    )
  }

  async isKept(rules: KeptRules): Promise<boolean> {
    return this.#rules.some(
      ({ holder, kind, boot, wanted }) =>
        isSame(holder, rules.holder) && kind === rules.kind && boot === rules.boot && wanted === rules.wanted,
    )
  }

  async all(boot: string): Promise<readonly KeptRules[]> {
    return this.#rules.filter(rules => rules.boot === boot)
  }
}

function isSame(one: Holder, other: Holder): boolean {
  return one.network === other.network && one.container === other.container && one.ifname === other.ifname
}
