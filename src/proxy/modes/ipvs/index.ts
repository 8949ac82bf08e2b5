import type { Tools } from '#dialects/iptables.ts'
import type { Mode, ModeTraits } from '#proxy/modes/mode.ts'
import { foreignRules } from '#proxy/modes/netfilter/foreign-rules.ts'
import { chainWatches } from '#proxy/modes/netfilter/watches.ts'
import type { Cidr } from '#values/cidr.ts'
import { base } from './base.ts'
import { CHAINS } from './chains.ts'
import { read } from './read.ts'
import { service } from './service.ts'
import { trace } from './trace.ts'
import { write } from './write.ts'

// ipvs mode: a virtual server for every address and port, and a fixed number of rules that look up sets. The kernel reports
// changes of the rules, but none of virtual servers or sets: the lane reads the kernel every sync period all the same.

export const IPVS = {
  name: 'ipvs',
  needs: { addresses: true },
} as const satisfies ModeTraits

export interface IpvsOptions {
  readonly tools: Tools
  readonly scheduler: string
  readonly excludeCIDRs: readonly Cidr[]
}

export function ipvs({ tools, scheduler, excludeCIDRs }: IpvsOptions): Mode {
  const watches = chainWatches(tools, CHAINS)
  return {
    ...IPVS,
    base,
    service: (traffic, node) => service(traffic, node, scheduler),
    portions: plan => [plan],
    write: plan => write(plan, tools),
    read: kernel => read(kernel, { tools, excludeCIDRs }),
    foreignRules: (kernel, about) => foreignRules(kernel, { tools, chains: CHAINS, about }),
    ...(watches !== undefined && { watches: { ...watches, isPartial: true } }),
    trace,
  }
}
