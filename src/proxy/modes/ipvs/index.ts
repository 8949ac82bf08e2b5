import type { Tools } from '#dialects/iptables.ts'
import type { Mode } from '#proxy/modes/mode.ts'
import type { Cidr } from '#values/cidr.ts'
import { base } from './base.ts'
import { holders, read } from './read.ts'
import { service } from './service.ts'
import { trace } from './trace.ts'
import { write } from './write.ts'

// ipvs mode: a virtual server for every address and port, and a fixed number of rules that ask sets. The kernel tells
// nobody of changes to either, so there is no alarm: who uses this mode has it look every sync period.

export interface IpvsOptions {
  readonly tools: Tools
  readonly scheduler: string
  readonly excludeCIDRs: readonly Cidr[]
}

export function ipvs({ tools, scheduler, excludeCIDRs }: IpvsOptions): Mode {
  return {
    name: 'ipvs',
    base,
    service: (traffic, node) => service(traffic, node, scheduler),
    write: plan => write(plan, tools),
    read: kernel => read(kernel, { tools, excludeCIDRs }),
    holders: kernel => holders(kernel, tools),
    trace,
  }
}
