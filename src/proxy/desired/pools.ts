import type { ServicePort } from '#proxy/cluster/service-ports.ts'
import type { KnownEndpoint } from '#proxy/cluster/slices.ts'
import type { ThisNode } from './this-node.ts'
import { nearness } from './topology.ts'
import type { Endpoint, Pools } from './traffic.ts'

// Endpoints → the two pools a service port may draw from. Terminating endpoints serve only where no ready one is left,
// and that is decided for each pool by itself.

export interface Choice extends Pools {
  /** Somebody, somewhere, could answer: where false, clients are refused at once. */
  readonly any: boolean
  /** In neither pool, but may still answer those who are connected. */
  readonly leaving: readonly Endpoint[]
}

export function pools(port: ServicePort, endpoints: readonly KnownEndpoint[], place: ThisNode): Choice {
  const cluster = usesCluster(port) ? clusterPool(endpoints, place) : []
  const local = usesLocal(port) ? readyOrServing(endpoints.filter(isOn(place))) : []
  const any = cluster.length > 0 || (usesLocal(port) && readyOrServing(endpoints).length > 0)
  const leaving = others(port, endpoints, [...cluster, ...local])
  const mark = marked(place)
  return { any, cluster: cluster.map(mark), local: local.map(mark), leaving: leaving.map(mark) }
}

/** Over TCP a pod that is there at all may be in the middle of an answer; connections of other protocols are forgotten sooner. */
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

function clusterPool(endpoints: readonly KnownEndpoint[], place: ThisNode): readonly KnownEndpoint[] {
  const ready = endpoints.filter(endpoint => endpoint.ready)
  const near = ready.filter(nearness(ready, place))
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

function marked(place: ThisNode): (endpoint: KnownEndpoint) => Endpoint {
  const isLocal = isOn(place)
  return endpoint => ({ ip: endpoint.ip, port: endpoint.port, text: endpoint.text, local: isLocal(endpoint) })
}
