import type { Holder } from '../lease-book.ts'

// What attachments have in the rulesets of the kernel: enough to write it anew where another program has flushed it.

export type RuleKind = 'masquerade' | 'hostports'

export interface KeptRules {
  readonly holder: Holder
  readonly kind: RuleKind
  /** The pod's namespace: rules of one that is gone are not written anew. */
  readonly netns: string
  readonly namespaceId: string
  /** With the machine's next start, the rules are gone, and so is what is known of them. */
  readonly boot: string
  /** JSON of the plugin that wrote them. */
  readonly wanted: string
}

export interface RuleBook {
  /** In place of what was kept before. */
  keep(rules: KeptRules): Promise<void>
  forget(holder: Holder, kind: RuleKind): Promise<void>
  /** Forgets those of every other attachment of the network. */
  keepOnly(network: string, holders: readonly Holder[], kind: RuleKind): Promise<void>
  isKept(rules: KeptRules): Promise<boolean>
  /** Of one start of the machine, in the order in which they were kept. */
  all(boot: string): Promise<readonly KeptRules[]>
}
