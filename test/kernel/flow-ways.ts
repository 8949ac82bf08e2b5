import { namespacePath } from '#lab/network/namespaces.ts'
import { netlinkFlows } from '#system/network/netlink-flows.ts'
import type { FlowTable } from '#system/ports.ts'

// The connections that the kernel tracks in a namespace of a lab, as a node's agent has those of its own.

export function flowsOf(namespace: string): FlowTable {
  return netlinkFlows(namespacePath(namespace))!
}
