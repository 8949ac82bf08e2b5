import type { Cluster } from '#proxy/cluster/cluster.ts'
import { type ServicePort, servicePorts } from '#proxy/cluster/service-ports.ts'
import { endpointsOf, type KnownEndpoint } from '#proxy/cluster/slices.ts'
import type { ObjectName } from '#values/names.ts'
import { frontends } from './frontends.ts'
import { pools } from './pools.ts'
import type { ThisNode } from './this-node.ts'
import type { ServiceTraffic } from './traffic.ts'
import { gate } from './verdicts.ts'

// A Service and its slices → the traffic of each of its ports, as this node should carry it.

export interface Resolved {
  readonly port: ServicePort
  readonly traffic: ServiceTraffic
  /** All endpoints of the port, in any condition. */
  readonly endpoints: readonly KnownEndpoint[]
}

export function resolve(cluster: Cluster, name: ObjectName, thisNode: ThisNode): readonly Resolved[] {
  const service = cluster.service(name)
  if (service === undefined) return []
  const slices = cluster.slices(name, thisNode.family)
  return servicePorts(service, thisNode.family, cluster.claims).map(port => {
    const endpoints = endpointsOf(slices, port.name, port.protocol)
    return { port, endpoints, traffic: traffic(port, endpoints, thisNode) }
  })
}

export function traffic(port: ServicePort, endpoints: readonly KnownEndpoint[], thisNode: ThisNode): ServiceTraffic {
  const choice = pools(port, endpoints, thisNode)
  const outside = gate(port, choice)
  return {
    id: port.id,
    service: port.service,
    protocol: port.protocol,
    frontends: frontends(port, choice),
    pools: { cluster: choice.cluster, local: choice.local },
    ...(choice.leaving.length > 0 && { leaving: choice.leaving }),
    masquerade: thisNode.masquerade,
    ...(outside !== undefined && { gate: outside }),
    ...(port.stickySeconds !== undefined && { stickySeconds: port.stickySeconds }),
    ...(port.healthCheckPort !== undefined && { healthCheckPort: port.healthCheckPort }),
  }
}
