import type { Tools } from '#dialects/iptables.ts'
import type { Mode, ModeTraits } from '#proxy/modes/mode.ts'
import { readUnits } from '#proxy/modes/netfilter/chains.ts'
import { restore } from '#proxy/modes/netfilter/document.ts'
import { foreignRules } from '#proxy/modes/netfilter/foreign-rules.ts'
import { chainWatches } from '#proxy/modes/netfilter/watches.ts'
import { base } from './base.ts'
import { CHAINS } from './chains.ts'
import { LAYOUT } from './layout.ts'
import { portions } from './portions.ts'
import { service } from './service.ts'
import { trace } from './trace.ts'

// iptables mode: KUBE-SVC and KUBE-SEP chains, exactly as kube-proxy's.

export const IPTABLES = {
  name: 'iptables',
  needs: { localhost: true, invalid: true, comments: true },
  numbers: { stages: true, rules: true },
} as const satisfies ModeTraits

export function iptables(tools: Tools): Mode {
  const watches = chainWatches(tools, CHAINS)
  return {
    ...IPTABLES,
    base,
    service,
    portions: plan => portions(plan, tools),
    write: plan => restore(plan, tools, LAYOUT),
    read: kernel => readUnits(kernel, tools, CHAINS),
    foreignRules: (kernel, about) => foreignRules(kernel, { tools, chains: CHAINS, about }),
    ...(watches !== undefined && { watches }),
    trace,
  }
}
