import type { Cluster } from '#proxy/cluster/cluster.ts'
import { type ServicePort, servicePorts } from '#proxy/cluster/service-ports.ts'
import { endpointsOf, type KnownEndpoint } from '#proxy/cluster/slices.ts'
import type { ObjectName } from '#values/names.ts'
import { frontends } from './frontends.ts'
import { pools } from './pools.ts'
import type { ThisNode } from './this-node.ts'
import type { ServiceTraffic } from './traffic.ts'
import { gate } from './verdicts.ts'

// A Service as the cluster has it → what this node should do about each of its ports.

export interface Resolved {
  readonly port: ServicePort
  readonly traffic: ServiceTraffic
  /** All endpoints of the port, whatever their condition. */
  readonly endpoints: readonly KnownEndpoint[]
}

export function resolve(cluster: Cluster, name: ObjectName, place: ThisNode): readonly Resolved[] {
  const service = cluster.service(name)
  if (service === undefined) return []
  const slices = cluster.slices(name, place.family)
  return servicePorts(service, place.family, cluster.claims).map(port => {
    const endpoints = endpointsOf(slices, port.name, port.protocol)
    return { port, endpoints, traffic: traffic(port, endpoints, place) }
  })
}

export function traffic(port: ServicePort, endpoints: readonly KnownEndpoint[], place: ThisNode): ServiceTraffic {
  const choice = pools(port, endpoints, place)
  const way = gate(port, choice)
  return {
    id: port.id,
    service: port.service,
    protocol: port.protocol,
    frontends: frontends(port, choice),
    pools: { cluster: choice.cluster, local: choice.local },
    ...(choice.leaving.length > 0 && { leaving: choice.leaving }),
    masquerade: place.masquerade,
    ...(way !== undefined && { gate: way }),
    ...(port.stickySeconds !== undefined && { stickySeconds: port.stickySeconds }),
    ...(port.healthCheckPort !== undefined && { healthCheckPort: port.healthCheckPort }),
  }
}
