import type { Tools } from '#dialects/iptables.ts'
import { iptablesWatches } from '#proxy/modes/iptables-watches.ts'
import type { Mode } from '#proxy/modes/mode.ts'
import type { Cidr } from '#values/cidr.ts'
import { base } from './base.ts'
import { CHAINS, foreignRules, read } from './read.ts'
import { service } from './service.ts'
import { trace } from './trace.ts'
import { write } from './write.ts'

// ipvs mode: a virtual server for every address and port, and a fixed number of rules that look up sets. The kernel reports
// changes of the rules, but none of virtual servers or sets: the lane reads the kernel every sync period all the same.

export interface IpvsOptions {
  readonly tools: Tools
  readonly scheduler: string
  readonly excludeCIDRs: readonly Cidr[]
}

export function ipvs({ tools, scheduler, excludeCIDRs }: IpvsOptions): Mode {
  const watches = iptablesWatches(tools, CHAINS)
  return {
    name: 'ipvs',
    base,
    service: (traffic, node) => service(traffic, node, scheduler),
    write: plan => write(plan, tools),
    read: kernel => read(kernel, { tools, excludeCIDRs }),
    foreignRules: kernel => foreignRules(kernel, tools),
    ...(watches !== undefined && { watches: { ...watches, isPartial: true } }),
    trace,
  }
}
