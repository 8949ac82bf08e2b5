import { type ChainTexts, canonicalChains } from 'iptables-parser'
import { saveAll, type Tools } from '#dialects/iptables.ts'
import type { AboutUnits, Unit } from '#proxy/modes/mode.ts'
import { must } from '#system/must.ts'
import type { Kernel } from '#system/ports.ts'
import type { ModeChains } from './chains.ts'
import { chainUnit } from './units.ts'
import { foreignChains } from './watches.ts'

// iptables-save → foreign rules that jump to chains of ours. While such a rule stands, the kernel refuses to delete the
// chain.

/** To list a large table as text may take minutes: where the kernel shows by itself what leads to our chains, only that is read. */
export async function foreignRules(
  kernel: Kernel,
  {
    tools,
    chains,
    about,
  }: { readonly tools: Tools; readonly chains: ModeChains; readonly about?: AboutUnits | undefined },
): Promise<ReadonlyMap<Unit, string>> {
  const few = about && (await foreignChains({ kernel, tools, ...about }, chains))
  const save = few ?? (await must(kernel, saveAll(tools))).stdout
  return foreignRulesTo(canonicalChains(save), chains)
}

/** Of each chain the first such rule, and how many more there are. */
export function foreignRulesTo(
  texts: ChainTexts,
  { tables, isOurs, isShared, isOurLine }: Pick<ModeChains, 'tables' | 'isOurs' | 'isShared' | 'isOurLine'>,
): ReadonlyMap<Unit, string> {
  const found = new Map<Unit, string[]>()
  for (const table of tables) {
    for (const [chain, text] of texts.get(table) ?? []) {
      if (text === '' || isOurs(table, chain)) continue
      for (const line of text.split('\n')) {
        const target = targetOf(line)
        if (target === undefined || !isOurs(table, target)) continue
        if (isShared(table, chain) && isOurLine(table, line)) continue
        const unit = chainUnit(table, target)
        found.set(unit, [...(found.get(unit) ?? []), line])
      }
    }
  }
  return new Map([...found].map(([unit, lines]) => [unit, summary(lines)]))
}

/** The chain a rule jumps to, if its name starts with KUBE-. */
export function targetOf(line: string): string | undefined {
  return / -[jg] (KUBE-[A-Z0-9-]+)$/.exec(line)?.[1]
}

/** The comments on jumps that proxies of every mode and version write: a rule without such a comment is a foreign rule, wherever it jumps. */
export function hasProxysComment(line: string): boolean {
  return OUR_REASON.test(line)
}

const OUR_REASON =
  / --comment "(?:kubernetes |kube-proxy |handle (?:ClusterIPs|service NodePorts);|Ensure that non-local NodePort traffic)/

function summary([first, ...more]: readonly string[]): string {
  return more.length === 0 ? first! : `${first} (and ${more.length} more)`
}
