import { keptMasquerade } from '#cni/plugins/bridge/rules/kept-masquerade.ts'
import type { RewriteParts, RewrittenKind } from '#cni/plugins/kept-rules.ts'
import { keptMappings } from '#cni/plugins/portmap/kept-mappings.ts'
import type { KeptRules, RuleBook, RuleKind } from '#ipam/leases/rules/rule-book.ts'

// Rules that are kept, and the kernel's rulesets → those that another program has flushed, written anew where their pods live.

export interface RepairParts {
  readonly parts: RewriteParts
  readonly book: RuleBook
  /** Between the calls of its container. */
  readonly inTurn: (container: string, work: () => Promise<Repaired | undefined>) => Promise<Repaired | undefined>
  readonly signal: AbortSignal
  /**
   * Waited for once where something is missing. A DEL by a plugin that keeps no rules takes rules away a moment before the pod's
   * namespace goes: what it has begun has ended by then.
   */
  readonly settle: () => Promise<void>
  readonly kinds?: Readonly<Record<RuleKind, RewrittenKind>>
}

export interface Repaired {
  readonly rules: KeptRules
  readonly outcome: 'written' | 'failed'
  readonly error?: unknown
}

const KINDS: Readonly<Record<RuleKind, RewrittenKind>> = { masquerade: keptMasquerade, hostports: keptMappings }

/** Resolves with what was not there. Nothing is run where nothing is kept. */
export async function repairRound(round: RepairParts): Promise<readonly Repaired[]> {
  const { parts, book, inTurn, signal, settle, kinds = KINDS } = round
  const kept = await book.all(await parts.files.bootId())
  const repaired: Repaired[] = []
  let hasSettled = false
  for (const [kind, own] of Map.groupBy(kept, ({ kind }) => kind)) {
    const isThere = await kinds[kind].look(parts)
    for (const rules of own.filter(one => !isThere(one))) {
      if (!hasSettled && !signal.aborted) await settle()
      hasSettled = true
      if (signal.aborted) return repaired
      const one = await inTurn(rules.holder.container, () => repair(rules, kinds[kind], { parts, book }))
      if (one !== undefined) repaired.push(one)
    }
  }
  return repaired
}

/** The same look, and nothing is written: rules that are kept, and not there. */
export async function flushedRules({
  parts,
  book,
  kinds = KINDS,
}: Omit<RepairParts, 'inTurn' | 'signal' | 'settle'>): Promise<readonly KeptRules[]> {
  const kept = await book.all(await parts.files.bootId())
  const flushed: KeptRules[] = []
  for (const [kind, own] of Map.groupBy(kept, ({ kind }) => kind)) {
    const isThere = await kinds[kind].look(parts)
    for (const rules of own) {
      if (!(await isAlive(rules, parts))) continue
      if (!isThere(rules) || !(await kinds[kind].isWhole(rules, parts))) flushed.push(rules)
    }
  }
  return flushed
}

/** For a person who asks: also those of which a part stands, which a look at all does not show. */
export async function repairFlushed(round: Omit<RepairParts, 'settle'>): Promise<readonly Repaired[]> {
  const { parts, book, inTurn, kinds = KINDS } = round
  const repaired: Repaired[] = []
  for (const rules of await flushedRules(round)) {
    const one = await inTurn(rules.holder.container, () => repair(rules, kinds[rules.kind], { parts, book }))
    if (one !== undefined) repaired.push(one)
  }
  return repaired
}

/** Undefined where they are there, or are not to be. */
async function repair(
  rules: KeptRules,
  kind: RewrittenKind,
  { parts, book }: Pick<RepairParts, 'parts' | 'book'>,
): Promise<Repaired | undefined> {
  try {
    if (!(await book.isKept(rules)) || !(await isAlive(rules, parts)) || (await kind.isWhole(rules, parts))) return
    await kind.write(rules, parts)
    // A process beside this one may have done a DEL meanwhile, with or without our book.
    if ((await book.isKept(rules)) && (await isAlive(rules, parts))) return { rules, outcome: 'written' }
    await kind.remove(rules, parts)
    return undefined
  } catch (error) {
    return { rules, outcome: 'failed', error }
  }
}

/** After a DEL by a plugin that keeps no rules, another's may stand for the same address. */
async function isAlive({ netns, namespaceId }: KeptRules, { files }: RewriteParts): Promise<boolean> {
  return (await files.namespaceId(netns)) === namespaceId
}
