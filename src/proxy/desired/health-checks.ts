import type { Cluster } from '#proxy/cluster/cluster.ts'
import { endpointsOf } from '#proxy/cluster/slices.ts'
import { familyOf } from '#values/address.ts'
import type { ObjectName } from '#values/names.ts'
import type { ThisNode } from './this-node.ts'

// A cluster → what load balancers ask this node at each healthCheckNodePort: how many of a Service's pods it has.

export interface HealthCheck {
  readonly service: ObjectName
  readonly port: number
  /** Distinct addresses of ready endpoints on this node, over all ports; a pod that terminates does not count. */
  readonly count: number
}

export type Place = Pick<ThisNode, 'family' | 'nodeName'>

/** By the name of the Service. Only a Service with an address in this family is asked for in it. */
export function healthChecks(cluster: Cluster, place: Place): readonly HealthCheck[] {
  const found: HealthCheck[] = []
  for (const { name, healthCheckNodePort: port, clusterIPs } of cluster.services()) {
    if (port === undefined || !clusterIPs.some(ip => familyOf(ip) === place.family)) continue
    found.push({ service: name, port, count: readyHere(cluster.slices(name, place.family), place.nodeName) })
  }
  return found.sort((a, b) => (a.service < b.service ? -1 : 1))
}

/** By the ports the slices have, as kube-proxy counts: a pod of a port that the Service does not name is one, too. */
function readyHere(slices: ReturnType<Cluster['slices']>, nodeName: string): number {
  const ports = new Map(slices.flatMap(slice => slice.ports).map(port => [`${port.protocol} ${port.name}`, port]))
  const here = [...ports.values()]
    .flatMap(({ name, protocol }) => endpointsOf(slices, name, protocol))
    .filter(endpoint => endpoint.ready && nodeName !== '' && endpoint.nodeName === nodeName)
  return new Set(here.map(({ ip }) => ip)).size
}
