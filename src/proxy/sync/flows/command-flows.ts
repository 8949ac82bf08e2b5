import { flowsOf, forgetFlows, listFlows } from '#dialects/conntrack.ts'
import { must } from '#system/must.ts'
import type { FlowTable, Kernel } from '#system/ports.ts'

// The connections the kernel tracks, as the `conntrack` command lists and deletes them: where this process has no netlink.

/** One process where nothing is stale, two where something is. */
export function commandFlows(kernel: Kernel): FlowTable {
  return {
    async forget({ family, protocol, by, ports, isStale }) {
      const { stdout } = await must(kernel, listFlows(family, protocol))
      const stale = flowsOf(stdout).filter(flow => ports.has(flow[by]) && isStale(flow))
      if (stale.length > 0) await must(kernel, forgetFlows(stale, family))
      return stale.length
    },
  }
}
