import type { Cluster } from '#proxy/cluster/cluster.ts'
import { endpointsOf } from '#proxy/cluster/slices.ts'
import { familyOf } from '#values/address.ts'
import type { ObjectName } from '#values/names.ts'
import type { ThisNode } from './this-node.ts'

// A cluster → the answer of this node at each healthCheckNodePort: how many pods of the Service it has.

export interface HealthCheck {
  readonly service: ObjectName
  readonly port: number
  /** Distinct addresses of ready endpoints on this node, over all ports; a pod that terminates does not count. */
  readonly count: number
}

/** Sorted by the name of the Service. A Service without a cluster IP in this family has no health check in it. */
export function healthChecks(
  cluster: Cluster,
  { family, nodeName }: Pick<ThisNode, 'family' | 'nodeName'>,
): readonly HealthCheck[] {
  const found: HealthCheck[] = []
  for (const { name, healthCheckNodePort: port, clusterIPs } of cluster.services()) {
    if (port === undefined || !clusterIPs.some(ip => familyOf(ip) === family)) continue
    found.push({ service: name, port, count: readyHere(cluster.slices(name, family), nodeName) })
  }
  return found.sort((a, b) => (a.service < b.service ? -1 : 1))
}

/** By the ports of the slices, as kube-proxy counts: a pod of a port that the Service does not name counts, too. */
function readyHere(slices: ReturnType<Cluster['slices']>, nodeName: string): number {
  const ports = new Map(slices.flatMap(slice => slice.ports).map(port => [`${port.protocol} ${port.name}`, port]))
  const here = [...ports.values()]
    .flatMap(({ name, protocol }) => endpointsOf(slices, name, protocol))
    .filter(endpoint => endpoint.ready && nodeName !== '' && endpoint.nodeName === nodeName)
  return new Set(here.map(({ ip }) => ip)).size
}
