import type { Service } from '#kubernetes/objects.ts'
import { addressFrontend, nodePortFrontend } from '#proxy/cluster/claims.ts'
import type { Cluster } from '#proxy/cluster/cluster.ts'
import type { ServicePort } from '#proxy/cluster/service-ports.ts'
import { endpointsOf, type KnownEndpoint } from '#proxy/cluster/slices.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import { type Resolved, resolve } from '#proxy/desired/resolve.ts'
import type { ThisNode } from '#proxy/desired/this-node.ts'
import type { Frontend } from '#proxy/desired/traffic.ts'
import type { Mode } from '#proxy/modes/mode.ts'
import { isOwn, type Packet } from '#proxy/modes/trace.ts'
import { familyOf, isLoopback } from '#values/address.ts'

// A packet → the Service port whose frontend it goes to, and what is decided there: by the objects, whatever rules say.

export interface FoundFrontend {
  readonly resolved: Resolved
  readonly port: ServicePort
  readonly frontend: Frontend
  readonly endpoints: readonly KnownEndpoint[]
}

export interface AskedCluster {
  readonly cluster: Cluster
  readonly thisNode: ThisNode
  readonly view: Pick<NodeView, 'nodePortAddresses' | 'localhostNodePorts'>
}

export type AskedPacket = Pick<Packet, 'protocol' | 'from' | 'to' | 'port' | 'nodeAddresses' | 'via'>

export function frontendOf(
  asked: AskedCluster,
  packet: AskedPacket,
  mode: Pick<Mode, 'needs'>,
): FoundFrontend | undefined {
  const { cluster } = asked
  const { protocol, to, port } = packet
  const atAddress = cluster.claims.holder(addressFrontend(protocol, to, port))
  const claim = atAddress ?? (isNodePort(asked, packet, mode) ? nodePortClaim(asked, packet) : undefined)
  if (claim === undefined) return undefined
  const resolved = resolve(cluster, claim.service, asked.thisNode).find(
    one => one.port.id === claim.owner && one.port.protocol === protocol,
  )
  const frontend = resolved?.traffic.frontends.find(one =>
    atAddress === undefined ? one.kind === 'node-port' && one.port === port : one.ip === to && one.port === port,
  )
  if (resolved === undefined || frontend === undefined) return undefined
  const slices = cluster.slices(claim.service, asked.thisNode.family)
  const { name } = resolved.port
  return { resolved, port: resolved.port, frontend, endpoints: endpointsOf(slices, name, protocol) }
}

function nodePortClaim({ cluster }: AskedCluster, { protocol, to, port }: AskedPacket) {
  return cluster.claims.holder(nodePortFrontend(protocol, familyOf(to), port))
}

/** Where every address of the node answers, loopback does only in a mode that leads packets from there. */
function isNodePort({ view }: AskedCluster, packet: AskedPacket, { needs }: Pick<Mode, 'needs'>): boolean {
  const { nodePortAddresses: answering, localhostNodePorts = needs.relay ?? false } = view
  if (!isOwn(packet.to, packet)) return false
  return answering === 'all' ? localhostNodePorts || !isLoopback(packet.to) : answering.includes(packet.to)
}

/** Services that have this address, whatever the port. */
export function servicesAt(cluster: Cluster, { to }: Pick<AskedPacket, 'to'>): readonly Service[] {
  return [...cluster.services()].filter(
    ({ clusterIPs, externalIPs, loadBalancerIPs }) =>
      clusterIPs.includes(to) || externalIPs.includes(to) || loadBalancerIPs.includes(to),
  )
}
