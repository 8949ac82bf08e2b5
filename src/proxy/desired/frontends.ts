import type { ServicePort } from '#proxy/cluster/service-ports.ts'
import { contains } from '#values/cidr.ts'
import type { PoolChoice } from './pools.ts'
import type { ThisNode } from './this-node.ts'
import type { Frontend, Gate } from './traffic.ts'
import { admission, externalVerdict, internalVerdict } from './verdicts.ts'

// A service port → its frontends, each with what happens to a connection there, and who may connect.

export interface FrontendsParts {
  readonly port: ServicePort
  readonly choice: PoolChoice
  /** For traffic from outside. */
  readonly outside: Gate | undefined
  readonly thisNode: Pick<ThisNode, 'nodeIP'>
}

type Undecided = Omit<Frontend, 'admits'>

export function frontends({ port, choice, outside, thisNode }: FrontendsParts): readonly Frontend[] {
  const outward = externalVerdict(choice)
  const found: Undecided[] = []
  if (port.clusterIP !== undefined) {
    found.push({ kind: 'cluster-ip', ip: port.clusterIP, port: port.port, verdict: internalVerdict(port, choice) })
  }
  for (const ip of port.externalIPs) found.push({ kind: 'external-ip', ip, port: port.port, verdict: outward })
  for (const ip of port.loadBalancerIPs) {
    found.push({ kind: 'load-balancer', ip, port: port.port, verdict: outward, ...sources(port, thisNode) })
  }
  if (port.nodePort !== undefined) found.push({ kind: 'node-port', port: port.nodePort, verdict: outward })
  return found.map(frontend => ({ ...frontend, admits: admission(frontend.verdict, outside) }))
}

function sources(
  { sourceRanges, loadBalancerIPs }: ServicePort,
  { nodeIP }: Pick<ThisNode, 'nodeIP'>,
): Pick<Frontend, 'sourceRanges' | 'sourceAddresses'> {
  if (sourceRanges.length === 0) return {}
  const isNodeWithin = nodeIP !== undefined && sourceRanges.some(range => contains(range, nodeIP))
  return { sourceRanges, ...(isNodeWithin && { sourceAddresses: loadBalancerIPs }) }
}
