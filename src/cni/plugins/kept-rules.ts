import type { CniRequest } from '#cni/protocol/request.ts'
import type { Holder } from '#ipam/leases/lease-book.ts'
import type { KeptRules, RuleKind } from '#ipam/leases/rules/rule-book.ts'
import { holderOf } from './owner.ts'
import type { PluginParts } from './plugin.ts'

// Rules that a plugin writes for an attachment → what is kept of them, so that they come back where another program has flushed
// them. Without it they are as good: where the database cannot be written, a flush is found by CHECK, and no ADD or DEL fails.

/** How rules of one kind are looked at, and written anew. */
export interface RewrittenKind {
  /** One look at what the kernel has of all of them → whether these are there, as far as it shows. */
  look(parts: RewriteParts): Promise<(rules: KeptRules) => boolean>
  isWhole(rules: KeptRules, parts: RewriteParts): Promise<boolean>
  write(rules: KeptRules, parts: RewriteParts): Promise<void>
  remove(rules: KeptRules, parts: RewriteParts): Promise<void>
}

export type RewriteParts = Omit<PluginParts, 'delegates' | 'leases'>

interface WrittenRules {
  readonly kind: RuleKind
  readonly wanted: object
}

export async function keepRules(
  request: CniRequest,
  { kind, wanted }: WrittenRules,
  parts: PluginParts,
): Promise<void> {
  const { netns } = request
  const { files, rules } = parts
  if (netns === undefined || rules === undefined) return
  try {
    const [namespaceId, boot] = await Promise.all([files.namespaceId(netns), files.bootId()])
    if (namespaceId === undefined) return
    const kept = { holder: holderOf(request), kind, netns, namespaceId, boot, wanted: JSON.stringify(wanted) }
    await (await rules()).keep(kept)
  } catch {
    // As above.
  }
}

/** Before they are removed: what is kept would be written anew. */
export async function forgetRules(
  holder: Holder,
  kind: RuleKind,
  { rules }: Pick<PluginParts, 'rules'>,
): Promise<void> {
  try {
    await (await rules?.())?.forget(holder, kind)
  } catch {
    // As above.
  }
}

export async function forgetOthers(
  { network, valid }: { readonly network: string; readonly valid: readonly Holder[] },
  kind: RuleKind,
  { rules }: Pick<PluginParts, 'rules'>,
): Promise<void> {
  try {
    await (await rules?.())?.keepOnly(network, valid, kind)
  } catch {
    // As above.
  }
}
