import { BUILT_IN, isBuiltIn, type ModeChains } from '#proxy/modes/netfilter/chains.ts'
import { targetOf } from '#proxy/modes/netfilter/foreign-rules.ts'
import { TABLES, type Table } from '#proxy/modes/netfilter/units.ts'
import { FIREWALL, isJumpTarget, isOurChain } from './names.ts'

// Which chains and lines are of this mode.

export const CHAINS: ModeChains = {
  tables: TABLES,
  isOurs: isOurChain,
  isShared: (_, chain) => isBuiltIn(chain) || chain === FIREWALL,
  isOurLine,
  made: { table: 'filter', chain: FIREWALL },
  shared: [...BUILT_IN, FIREWALL],
}

/**
 * A foreign rule may jump to our chains too. Jumps with this comment are ours: kube-proxy of every version wrote it. Of
 * KUBE-FIREWALL, which kubelet uses too, one line is ours.
 */
function isOurLine(table: Table, line: string): boolean {
  if (line.startsWith(`-A ${FIREWALL} `)) return line.includes('"block incoming localnet connections"')
  const target = targetOf(line)
  if (target === undefined || !isJumpTarget(table, target)) return false
  return target === FIREWALL || line.includes(' --comment "kubernetes ')
}
