import { findChain, saveAll, type Tools } from '#dialects/iptables.ts'
import type { Kernel } from '#system/ports.ts'
import { PORTALS } from './names.ts'
import { standingPorts } from './read.ts'

/**
 * True where this node has rules of userspace mode. A node in iptables mode may have hundreds of thousands of rules, so
 * only one chain is listed; iptables-legacy would create a table that is asked for by name, so there the existing
 * tables are saved.
 */
export async function isLeftBehind(kernel: Kernel, tools: Tools): Promise<boolean> {
  if (tools.variant === 'legacy') {
    const { stdout } = await kernel.run(saveAll(tools))
    return stdout.includes(`:${PORTALS.container} `)
  }
  const { code } = await kernel.run(findChain(tools, 'nat', PORTALS.container))
  return code === 0
}

/** Proxy ports of an earlier start, by listener name. */
export async function portsLeftBehind(kernel: Kernel, tools: Tools): Promise<ReadonlyMap<string, number>> {
  if (!(await isLeftBehind(kernel, tools))) return new Map()
  return standingPorts((await kernel.run(saveAll(tools))).stdout)
}
