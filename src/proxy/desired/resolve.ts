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
  /** Those that may answer, ready or terminating, wherever they are: `10.244.1.2:3306`. */
  readonly serving: readonly string[]
  /** How many endpoints the port has, in any condition. They are not kept: there may be a hundred thousand of them. */
  readonly endpointCount: number
}

export function resolve(cluster: Cluster, name: ObjectName, thisNode: ThisNode): readonly Resolved[] {
  const service = cluster.service(name)
  if (service === undefined) return []
  const slices = cluster.slices(name, thisNode.family)
  return servicePorts(service, thisNode.family, cluster.claims).map(port => {
    const endpoints = endpointsOf(slices, port.name, port.protocol)
    const serving = endpoints.filter(endpoint => endpoint.serving).map(({ text }) => text)
    return { port, traffic: traffic(port, endpoints, thisNode), serving, endpointCount: endpoints.length }
  })
}

export function traffic(port: ServicePort, endpoints: readonly KnownEndpoint[], thisNode: ThisNode): ServiceTraffic {
  const choice = pools(port, endpoints, thisNode)
  const outside = gate(port, choice)
  return {
    id: port.id,
    service: port.service,
    protocol: port.protocol,
    frontends: frontends({ port, choice, outside, thisNode }),
    pools: { cluster: choice.cluster, local: choice.local },
    ...(choice.leaving.length > 0 && { leaving: choice.leaving }),
    masquerade: thisNode.masquerade,
    ...(outside !== undefined && { gate: outside }),
    ...(port.stickySeconds !== undefined && { stickySeconds: port.stickySeconds }),
    ...(port.healthCheckPort !== undefined && { healthCheckPort: port.healthCheckPort }),
  }
}
