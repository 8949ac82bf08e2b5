import type { ServicePort } from '../cluster/service-ports.ts'
import type { KnownEndpoint } from '../cluster/slices.ts'
import { nearness } from './nearness.ts'
import type { Standpoint } from './standpoint.ts'
import type { Endpoint, Pools } from './traffic.ts'

// Endpoints → the two pools a service port may draw from. Terminating endpoints serve only where no ready one is left,
// and that is decided for each pool by itself.

export interface Choice extends Pools {
  /** Somebody, somewhere, could answer: where false, clients are refused at once. */
  readonly any: boolean
}

export function pools(port: ServicePort, endpoints: readonly KnownEndpoint[], place: Standpoint): Choice {
  const cluster = usesCluster(port) ? clusterPool(endpoints, place) : []
  if (!usesLocal(port)) return { any: cluster.length > 0, cluster: cluster.map(marked(place)), local: [] }
  const local = readyOrServing(endpoints.filter(isOn(place)))
  return {
    any: cluster.length > 0 || readyOrServing(endpoints).length > 0,
    cluster: cluster.map(marked(place)),
    local: local.map(marked(place)),
  }
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

function clusterPool(endpoints: readonly KnownEndpoint[], place: Standpoint): readonly KnownEndpoint[] {
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

function isOn({ nodeName }: Standpoint): (endpoint: KnownEndpoint) => boolean {
  return endpoint => nodeName !== '' && endpoint.nodeName === nodeName
}

function marked(place: Standpoint): (endpoint: KnownEndpoint) => Endpoint {
  const isLocal = isOn(place)
  return endpoint => ({ ip: endpoint.ip, port: endpoint.port, text: endpoint.text, local: isLocal(endpoint) })
}
