import type { ServicePort } from '#proxy/cluster/service-ports.ts'
import type { KnownEndpoint } from '#proxy/cluster/slices.ts'
import type { ThisNode } from './this-node.ts'
import { topology } from './topology.ts'
import type { Endpoint, Pools } from './traffic.ts'

// Endpoints → the two pools a service port may draw from. A pool takes terminating endpoints only where it has no ready
// one; each pool decides that by itself.

export interface PoolChoice extends Pools {
  /** True where an endpoint on any node could answer; otherwise connections are rejected at once. */
  readonly any: boolean
  /** Endpoints in neither pool that may still answer connections they already have. */
  readonly leaving: readonly Endpoint[]
}

export function pools(port: ServicePort, endpoints: readonly KnownEndpoint[], thisNode: ThisNode): PoolChoice {
  const cluster = usesCluster(port) ? clusterPool(endpoints, thisNode) : []
  const local = usesLocal(port) ? readyOrServing(endpoints.filter(isOn(thisNode))) : []
  const any = cluster.length > 0 || (usesLocal(port) && readyOrServing(endpoints).length > 0)
  const leaving = others(port, endpoints, [...cluster, ...local])
  const mark = marked(thisNode)
  return { any, cluster: cluster.map(mark), local: local.map(mark), leaving: leaving.map(mark) }
}

/**
 * Over TCP an endpoint in any condition may be in the middle of an answer; flows of other protocols are deleted once it
 * stops serving.
 */
function others(
  { protocol }: ServicePort,
  endpoints: readonly KnownEndpoint[],
  chosen: readonly KnownEndpoint[],
): readonly KnownEndpoint[] {
  const known = new Set(chosen)
  if (known.size === endpoints.length) return []
  return endpoints.filter(endpoint => !known.has(endpoint) && (protocol === 'tcp' || endpoint.serving))
}

export function isOutward({ nodePort, externalIPs, loadBalancerIPs }: ServicePort): boolean {
  return nodePort !== undefined || externalIPs.length > 0 || loadBalancerIPs.length > 0
}

/** Pods and the node reach the whole cluster even through an external address with policy Local. */
function usesCluster(port: ServicePort): boolean {
  return port.internalPolicy === 'Cluster' || isOutward(port)
}

function usesLocal(port: ServicePort): boolean {
  return port.internalPolicy === 'Local' || (port.externalPolicy === 'Local' && isOutward(port))
}

function clusterPool(endpoints: readonly KnownEndpoint[], thisNode: ThisNode): readonly KnownEndpoint[] {
  const ready = endpoints.filter(endpoint => endpoint.ready)
  const near = ready.filter(topology(ready, thisNode))
  return near.length > 0 ? near : endpoints.filter(isLeaving)
}

function readyOrServing(endpoints: readonly KnownEndpoint[]): readonly KnownEndpoint[] {
  const ready = endpoints.filter(endpoint => endpoint.ready)
  return ready.length > 0 ? ready : endpoints.filter(isLeaving)
}

function isLeaving({ serving, terminating }: KnownEndpoint): boolean {
  return serving && terminating
}

function isOn({ nodeName }: ThisNode): (endpoint: KnownEndpoint) => boolean {
  return endpoint => nodeName !== '' && endpoint.nodeName === nodeName
}

function marked(thisNode: ThisNode): (endpoint: KnownEndpoint) => Endpoint {
  const isLocal = isOn(thisNode)
  return endpoint => ({ ip: endpoint.ip, port: endpoint.port, text: endpoint.text, local: isLocal(endpoint) })
}
