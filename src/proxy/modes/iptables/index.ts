import type { Tools } from '#dialects/iptables.ts'
import { iptablesWatches } from '#proxy/modes/iptables-watches.ts'
import type { Mode } from '#proxy/modes/mode.ts'
import { base } from './base.ts'
import { CHAINS, foreignRules, read } from './read.ts'
import { service } from './service.ts'
import { trace } from './trace.ts'
import { write } from './write.ts'

// iptables mode: KUBE-SVC and KUBE-SEP chains, exactly as kube-proxy's.

export function iptables(tools: Tools): Mode {
  const watches = iptablesWatches(tools, CHAINS)
  return {
    name: 'iptables',
    base,
    service,
    write: plan => write(plan, tools),
    read: kernel => read(kernel, tools),
    foreignRules: kernel => foreignRules(kernel, tools),
    ...(watches !== undefined && { watches }),
    trace,
  }
}
