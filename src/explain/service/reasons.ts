import type { KnownEndpoint } from '#proxy/cluster/slices.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Mode } from '#proxy/modes/mode.ts'
import type { End } from '#proxy/modes/trace.ts'
import { contains } from '#values/cidr.ts'
import type { AskedPacket, FoundFrontend } from './found.ts'

// What is decided at a frontend, in words: why a packet is refused there, and why its source is rewritten, or kept.

export interface Reason {
  /** For programs. */
  readonly code: ReasonCode
  readonly text: string
}

export type ReasonCode =
  | 'no-endpoints'
  | 'none-ready'
  | 'none-here'
  | 'source-range'
  | 'not-a-service'
  | 'port-not-named'
  | 'address-never-given'
  | 'not-relayed'

/** Undefined where a packet from there is let in, and finds an endpoint. */
export function refusalReason(
  found: FoundFrontend,
  packet: AskedPacket,
  { view, mode }: Pick<SourceQuestion, 'view' | 'mode'>,
): Reason | undefined {
  const { frontend, port, resolved } = found
  const { verdict, sourceRanges = [], sourceAddresses = [] } = frontend
  if (mode.needs.relay && packet.protocol === 'sctp')
    return { code: 'not-relayed', text: `${port.id} is of SCTP, which the relay of ${mode.name} mode does not take` }
  if (verdict.to === 'reject') return withoutEndpoint(found)
  const isAllowed = sourceRanges.some(range => contains(range, packet.from)) || sourceAddresses.includes(packet.from)
  if (sourceRanges.length > 0 && !isAllowed) {
    const text = `loadBalancerSourceRanges of ${port.service} are ${sourceRanges.join(', ')}: ${packet.from} is in none of them`
    return { code: 'source-range', text }
  }
  if (verdict.to === 'drop') return noneHere(found, 'internalTrafficPolicy')
  const { gate } = resolved.traffic
  const isOutside = verdict.to === 'gate' && gate?.policy === 'Local' && !isInside(packet, view)
  return isOutside && gate.others === 'drop' ? noneHere(found, 'externalTrafficPolicy') : undefined
}

/** Pods of this cluster, as far as a setting says which they are, and this node. */
export function isInside({ via, from }: AskedPacket, { localPods }: Pick<NodeView, 'localPods'>): boolean {
  if (via.hook === 'output') return true
  switch (localPods?.by) {
    case 'cidr':
      return contains(localPods.cidr, from)
    case 'interface':
      return via.iface === localPods.name
    case 'interface-prefix':
      return via.iface.startsWith(localPods.prefix)
    default:
      return false
  }
}

function withoutEndpoint({ port, endpoints }: FoundFrontend): Reason {
  if (endpoints.length === 0) {
    const text = `${port.id} has no endpoints: its EndpointSlices name none for this port (does its selector match a pod?)`
    return { code: 'no-endpoints', text }
  }
  const [few, more] = [endpoints.slice(0, FEW), endpoints.length - FEW]
  const listed = few.map(one => `${one.text} ${conditionOf(one)}`).join(', ')
  const text = `none of the ${counted(endpoints)} of ${port.id} is ready: ${listed}${more > 0 ? `, and ${more} more` : ''}`
  return { code: 'none-ready', text }
}

const FEW = 5

export function conditionOf({ ready, serving, terminating }: KnownEndpoint): string {
  if (terminating) return serving ? 'terminating, still serving' : 'terminating'
  return ready ? 'ready' : 'not ready'
}

function noneHere({ port, endpoints }: FoundFrontend, policy: string): Reason {
  const nodes = [...new Set(endpoints.filter(one => one.ready || one.serving).map(({ nodeName = '?' }) => nodeName))]
  const text = `${policy} of ${port.service} is Local, and none of its ${counted(endpoints)} is on this node (they are on ${nodes.join(', ')})`
  return { code: 'none-here', text }
}

function counted(endpoints: readonly unknown[]): string {
  return `${endpoints.length} ${endpoints.length === 1 ? 'endpoint' : 'endpoints'}`
}

export interface SourceQuestion {
  readonly end: End
  readonly found: FoundFrontend | undefined
  readonly packet: AskedPacket
  readonly view: Pick<NodeView, 'localPods'>
  readonly mode: Pick<Mode, 'name' | 'needs'>
}

/** What the endpoint sees as the source, and why. Undefined for what reaches none. */
export function sourceReason({ end, found, packet, view, mode }: SourceQuestion): string | undefined {
  if (end.to !== 'endpoint') return undefined
  if (!end.masqueraded) return keptBecause({ found, packet, view })
  return `the endpoint sees an address of this node, not ${packet.from}: ${rewrittenBecause({ end, found, packet, view, mode })}`
}

function keptBecause({ found, packet, view }: Omit<SourceQuestion, 'end' | 'mode'>): string {
  const kept = `the endpoint sees ${packet.from}`
  if (packet.via.hook === 'output') return `${kept}: this node sent it`
  if (found?.frontend.verdict.to === 'gate' && found.port.externalPolicy === 'Local' && !isInside(packet, view))
    return `${kept}: externalTrafficPolicy is Local`
  if (isInside(packet, view)) return `${kept}: it comes from a pod of this cluster`
  return view.localPods === undefined
    ? `${kept}: no setting says which clients are pods (--cluster-cidr, --detect-local-mode), so none is rewritten`
    : kept
}

function rewrittenBecause({ end, found, packet, view, mode }: SourceQuestion): string {
  if (mode.needs.relay) return `the relay of ${mode.name} mode opens the second connection itself`
  if (end.to === 'endpoint' && isOf(end.endpoint, packet.from))
    return 'the pod reaches itself, and would drop an answer that comes straight from its own address'
  if (found?.resolved.traffic.masquerade === 'all' && found.frontend.kind === 'cluster-ip')
    return '--masquerade-all is set'
  if (found?.frontend.kind === 'cluster-ip' && packet.via.hook === 'output')
    return "this node sent it from an address that is no pod's, and the answer must come back through it"
  if (found?.frontend.kind === 'cluster-ip' && !isInside(packet, view))
    return 'it comes from outside of the pods, and the answer must come back through this node'
  if (found?.port.externalPolicy === 'Local')
    return 'it comes from inside of the cluster to an address for outside, and may leave this node again'
  return 'externalTrafficPolicy is Cluster: the answer must come back through this node'
}

function isOf(endpoint: string, address: string): boolean {
  return endpoint.startsWith(`${address}:`) || endpoint.startsWith(`[${address}]:`)
}
