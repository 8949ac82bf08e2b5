import { isBuiltIn, type ModeChains } from '#proxy/modes/netfilter/chains.ts'
import { hasProxysComment, targetOf } from '#proxy/modes/netfilter/foreign-rules.ts'
import { TABLES } from '#proxy/modes/netfilter/units.ts'
import { isOurChain } from './names.ts'

// Which chains and lines are of this mode.

export const CHAINS: ModeChains = {
  tables: TABLES,
  isOurs: isOurChain,
  isShared: (_, chain) => isBuiltIn(chain),
  isOurLine: (table, line) => {
    const target = targetOf(line)
    return target !== undefined && isOurChain(table, target) && hasProxysComment(line)
  },
}
