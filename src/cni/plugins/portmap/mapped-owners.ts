import * as iptablesWords from '#dialects/iptables.ts'
import { listChainWithHandles } from '#dialects/nft.ts'
import { FAMILIES, type Family } from '#values/address.ts'
import type { PluginParts } from '../plugin.ts'
import * as iptables from './iptables-rules.ts'
import * as nftables from './nftables-rules.ts'
import type { PortmapOwner } from './target.ts'

// One look at the entry chains of both back ends → whose mappings lead somewhere, by family.

type LookParts = Pick<PluginParts, 'kernel' | 'hasChain' | 'jumps'>

export type IsMapped = (owner: PortmapOwner, family: Family) => boolean

export async function mappedOwners(parts: LookParts): Promise<IsMapped> {
  const chains = await Promise.all(
    FAMILIES.map(async family => {
      const found = await Promise.all([iptablesChains(parts, family), nftablesChains(parts, family)])
      return [family, new Set(found.flat())] as const
    }),
  )
  const byFamily = new Map(chains)
  return (owner, family) => {
    const there = byFamily.get(family)
    return there !== undefined && (there.has(iptables.chainOf(owner)) || there.has(nftables.chainOf(owner)))
  }
}

async function iptablesChains({ kernel, hasChain, jumps }: LookParts, family: Family): Promise<readonly string[]> {
  const at = { family, table: 'nat', chain: iptables.ENTRY_CHAIN }
  if (hasChain?.(at) === false) return []
  const { stdout } = await kernel.run(
    iptablesWords.listChain(iptablesWords.plainlyNamed(family, 'nft'), 'nat', at.chain),
  )
  // Asked of nftables' ruleset alone: iptables-legacy has none there.
  const entries = jumps?.({ ...at, chain: 'PREROUTING' }) ?? []
  const isCutOff = entries.length > 0 && !entries.some(({ target }) => target === at.chain)
  return isCutOff ? [] : iptables.entryRulesOf(stdout).map(({ chain }) => chain)
}

async function nftablesChains({ kernel, hasChain }: LookParts, family: Family): Promise<readonly string[]> {
  const at = { family, table: nftables.TABLE, chain: nftables.ENTRY_CHAIN }
  if (hasChain?.(at) === false) return []
  const { stdout } = await kernel.run(listChainWithHandles(family, at.table, at.chain))
  return nftables.entryHandlesOf(stdout, family).map(({ chain }) => chain)
}
