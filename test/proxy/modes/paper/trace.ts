import type { Ruleset, Unit } from '#proxy/modes/mode.ts'
import { type End, type Hop, isOwn, type Packet, type Path } from '#proxy/modes/trace.ts'
import { isLoopback } from '#values/address.ts'
import { contains } from '#values/cidr.ts'
import { unitText } from '../../../support/units.ts'
import { clusterIPUnit, frontendUnit, NODE_UNIT, type PaperFrontend, type PaperNodeText } from './units.ts'

// The JSON of a sheet and a first packet → its ways.

export function traced(rules: Ruleset, packet: Packet): readonly Path[] {
  const node = JSON.parse(rules.get(NODE_UNIT)!) as PaperNodeText
  const unit = unitFor(rules, packet, node)
  if (unit === undefined) {
    const isClosed = rules.has(clusterIPUnit(packet.to))
    return [ended(isClosed ? { to: 'rejected' } : { to: 'untouched', masqueraded: false })]
  }
  const text = rules.get(unit)!
  return waysAt(JSON.parse(text) as PaperFrontend, {
    packet,
    node,
    hop: { at: unitText(unit), rule: text, did: 'found' },
  })
}

function unitFor(rules: Ruleset, packet: Packet, { nodePortAddresses }: PaperNodeText): Unit | undefined {
  const { protocol, to, port } = packet
  const units = [frontendUnit(protocol, to, port)]
  const answers = nodePortAddresses === 'all' ? isOwn(to, packet) : nodePortAddresses.includes(to)
  if (answers && !isLoopback(to)) units.push(frontendUnit(protocol, undefined, port))
  return units.find(unit => rules.has(unit))
}

interface Arrival {
  readonly packet: Packet
  readonly node: PaperNodeText
  readonly hop: Hop
}

function waysAt(frontend: PaperFrontend, arrival: Arrival): readonly Path[] {
  const { packet, node, hop } = arrival
  const { verdict, admits, gate, pools } = frontend
  const isPod = isLocalPod(packet, node)
  const isNode = packet.via.hook === 'output' || isOwn(packet.from, packet)
  if (verdict.to === 'reject') return [ended({ to: 'rejected' }, hop)]
  const isAdmitted = admits === 'all' || (admits === 'insiders' && (isPod || isNode))
  if (!isAdmitted || !comesFrom(frontend, packet)) return [ended({ to: 'dropped' }, hop)]
  if (verdict.to === 'pool') {
    const isMasqueraded = node.masquerade === 'all' || (node.masquerade === 'from-outside' && !isPod)
    return spread(pools[verdict.pool], { frontend, arrival, isMasqueraded })
  }
  if (gate?.policy === 'Cluster') return spread(pools.cluster, { frontend, arrival, isMasqueraded: true })
  if (isPod || isNode) return spread(pools.cluster, { frontend, arrival, isMasqueraded: !isPod })
  return spread(pools.local, { frontend, arrival, isMasqueraded: false })
}

function comesFrom({ sourceRanges, sourceAddresses = [] }: PaperFrontend, { from }: Packet): boolean {
  return sourceRanges?.some(range => contains(range, from)) !== false || sourceAddresses.includes(from)
}

function isLocalPod({ from, via }: Packet, { localPods }: PaperNodeText): boolean {
  const iface = via.hook === 'prerouting' ? via.iface : ''
  switch (localPods?.by) {
    case 'cidr':
      return contains(localPods.cidr, from)
    case 'interface':
      return iface === localPods.name
    case 'interface-prefix':
      return iface.startsWith(localPods.prefix)
    case undefined:
      return false
  }
}

interface Spreading {
  readonly frontend: PaperFrontend
  readonly arrival: Arrival
  readonly isMasqueraded: boolean
}

/** Evenly, but for a client that comes back in time; a pod that reaches itself is masqueraded. */
function spread(pool: readonly string[], { frontend, arrival, isMasqueraded }: Spreading): readonly Path[] {
  const { packet, hop } = arrival
  const { last, from } = packet
  const returns =
    last !== undefined && last.secondsAgo <= (frontend.stickySeconds ?? -1) && pool.includes(last.endpoint)
  const chosen = returns ? [last.endpoint] : pool
  return chosen.map(endpoint => {
    const isItself = endpoint.startsWith(`${from}:`) || endpoint.startsWith(`[${from}]:`)
    const end: End = { to: 'endpoint', endpoint, masqueraded: isMasqueraded || isItself }
    return { share: 1 / chosen.length, hops: [hop], end }
  })
}

function ended(end: End, ...hops: readonly Hop[]): Path {
  return { share: 1, hops, end }
}
