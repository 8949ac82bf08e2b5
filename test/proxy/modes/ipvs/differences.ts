import type { ClusterObject } from '#kubernetes/objects.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import type { Frontend, ServiceTraffic } from '#proxy/desired/traffic.ts'
import type { Packet } from '#proxy/modes/trace.ts'
import { Draft } from '#proxy/sync/draft.ts'
import { type Address, type Family, familyOf } from '#values/address.ts'
import { contains } from '#values/cidr.ts'
import type { Fate } from '../../../support/fate.ts'
import { type Flags, nodeFacts } from '../../../support/flags.ts'
import { oracle } from '../../../support/oracle.ts'
import { modeOf } from './scene.ts'

// Where ipvs mode differs from iptables mode: what a packet meets here instead of what it meets there. IPVS has one virtual
// server for an address and port, whatever the client, and a Service's address is one of the node's own.

export interface World {
  readonly objects: readonly ClusterObject[]
  readonly flags: Flags
  readonly addresses: readonly Address[]
}

export interface Meeting {
  readonly world: World
  readonly packet: Packet
  readonly draft: Draft
  /** What the packet meets in iptables mode. */
  readonly said: Fate
}

/** Undefined where the difference does not concern the packet. */
type Difference = (meeting: Meeting) => Fate | undefined

export const DIFFERENCES: Readonly<Record<string, Difference>> = {
  'nothing comes in from an address of a Service over IPv4': ({ packet, draft }) =>
    packet.via.hook === 'prerouting' && familyOf(packet.from) === 'ipv4' && bound(packet, draft).has(packet.from)
      ? only('dropped')
      : undefined,

  'where policy is Local and this node has endpoints, pods and the node go to local endpoints too': ({
    packet,
    draft,
  }) => {
    const [match] = matchesAt(packet, draft)
    const gate = match?.frontend.verdict.to === 'gate' ? match.traffic.gate : undefined
    if (match === undefined || gate?.policy !== 'Local' || gate.others !== 'local') return undefined
    if (isKeptOut(packet, draft, match)) return only('dropped')
    return toLocalPool(packet, draft, match)
  },

  'a pod of another node that reaches itself through this one is not masqueraded': ({ packet, draft, said }) => {
    const [match] = matchesAt(packet, draft)
    const itself = match?.traffic.pools.cluster.find(({ ip }) => ip === packet.from)
    const isMarked = match?.frontend.verdict.to !== 'gate' || match.traffic.gate?.policy !== 'Local'
    if (itself === undefined || itself.local || isMarked || !said.has(`${itself.text} masqueraded`)) return undefined
    return new Map([...said].map(([end, share]) => [end === `${itself.text} masqueraded` ? itself.text : end, share]))
  },

  'what is refused to others is refused to the node itself': ({ world, packet, draft, said }) => {
    if (packet.via.hook !== 'output' || !said.has('untouched') || matchesAt(packet, draft).length === 0)
      return undefined
    return oracle(world.objects, world.flags, { ...packet, via: { hook: 'prerouting', iface: '' } })
  },

  'a node port without endpoints is refused where it would have been answered, and nowhere else': meeting => {
    const { packet, draft, said } = meeting
    if (!said.has('rejected') && !said.has('dropped')) return undefined
    return matchesAt(packet, draft).length === 0 ? only('untouched') : undefined
  },

  'a port of an address of a Service that no Service has is refused': ({ packet, draft, said }) =>
    said.has('untouched') && bound(packet, draft).has(packet.to) ? only('rejected') : undefined,
}

/** What the packet meets in ipvs mode, and the difference that makes it so. */
export function inIpvs(given: Omit<Meeting, 'said'>): { readonly fate: Fate; readonly because?: string } {
  const meeting = { ...given, said: oracle(given.world.objects, given.world.flags, given.packet) }
  for (const [because, difference] of Object.entries(DIFFERENCES)) {
    const fate = difference(meeting)
    if (fate !== undefined) return { fate, because }
  }
  return { fate: meeting.said }
}

/** IPv6 takes such a packet for the node's own; its answer would never find the way back to the sender. */
export function isForged({ packet, draft }: Omit<Meeting, 'said'>): boolean {
  return familyOf(packet.from) === 'ipv6' && packet.via.hook === 'prerouting' && bound(packet, draft).has(packet.from)
}

/** Node ports never answer on localhost in this mode: it takes the flag for off. */
export function withoutLocalhost(flags: Flags): Flags {
  return { ...flags, localhostNodePorts: false }
}

export function draftOf({ objects, flags, addresses }: World, family: Family): Draft {
  const cluster = new Cluster()
  for (const object of objects) cluster.apply({ type: 'put', object })
  const draft = new Draft(cluster, modeOf(family), nodeFacts({ flags, family, addresses }))
  draft.update()
  return draft
}

/** The oracle knows iptables mode; this is what it would say of this mode. */
export function ipvsOracle(objects: readonly ClusterObject[], flagsGiven: Flags, packet: Packet): Fate {
  const flags = withoutLocalhost(flagsGiven)
  const world = { objects, flags, addresses: packet.nodeAddresses }
  return inIpvs({ world, packet, draft: draftOf(world, familyOf(packet.to)) }).fate
}

/** A pod that reaches itself is masqueraded where a slice says that it is on this node, through a Service or not. */
export function withoutOwnHairpins(fate: Fate, { from, to }: Packet): Fate {
  const own = new Map<string, number>()
  for (const [end, share] of fate) {
    const isOwn = end.startsWith(`${from}:`) || end.startsWith(`[${from}]:`) || from === to
    const name = isOwn ? end.replace(' masqueraded', '') : end
    own.set(name, (own.get(name) ?? 0) + share)
  }
  return own
}

/** A frontend that a packet is sent to. */
interface Match {
  readonly traffic: ServiceTraffic
  readonly frontend: Frontend
}

/** An address comes before a node port. */
function matchesAt({ to, port, protocol }: Packet, draft: Draft): readonly Match[] {
  const matches = [...draft.resolved()]
    .flatMap(({ traffic }) => traffic.frontends.map(frontend => ({ traffic, frontend })))
    .filter(({ traffic, frontend }) => traffic.protocol === protocol && frontend.port === port)
  const named = matches.filter(({ frontend }) => frontend.ip === to)
  const isNodePort = answersNodePorts(to, draft)
  return named.length > 0 ? named : matches.filter(({ frontend }) => frontend.ip === undefined && isNodePort)
}

function answersNodePorts(to: Address, draft: Draft): boolean {
  const { view, addresses } = draft.nodeFacts!
  const { nodePortAddresses: answering } = view
  return !isLoopback(to) && addresses.includes(to) && (answering === 'all' || answering.includes(to))
}

function toLocalPool({ last, from, nodeAddresses }: Packet, draft: Draft, { traffic }: Match): Fate {
  const { pools, stickySeconds } = traffic
  const isBack = last !== undefined && stickySeconds !== undefined && last.secondsAgo <= stickySeconds
  const kept = pools.local.filter(({ text }) => isBack && text === last.endpoint)
  const chosen = kept.length > 0 ? kept : pools.local
  const { localPods } = draft.nodeFacts!.view
  const isPod = localPods?.by === 'cidr' && contains(localPods.cidr, from)
  const isNode = isLoopback(from) || nodeAddresses.includes(from)
  const ends = chosen.map(({ ip, text }) => ((isNode && !isPod) || ip === from ? `${text} masqueraded` : text))
  return new Map(ends.map(end => [end, 1 / ends.length]))
}

function isKeptOut({ from }: Packet, draft: Draft, { traffic, frontend }: Match): boolean {
  const ranges = frontend.sourceRanges
  if (ranges === undefined || ranges.some(range => contains(range, from))) return false
  const nodeIP = draft.nodeFacts?.view.nodeIP
  const ownAddresses = traffic.frontends.filter(({ kind }) => kind === 'load-balancer').map(({ ip }) => ip)
  return !(nodeIP !== undefined && ranges.some(range => contains(range, nodeIP)) && ownAddresses.includes(from))
}

function bound({ nodeAddresses }: Packet, draft: Draft): ReadonlySet<Address | undefined> {
  const frontends = [...draft.resolved()].flatMap(({ traffic }) => traffic.frontends)
  return new Set(frontends.map(({ ip }) => ip).filter(ip => ip !== undefined && !nodeAddresses.includes(ip)))
}

function isLoopback(ip: Address): boolean {
  return ip === '::1' || ip.startsWith('127.')
}

function only(end: string): Fate {
  return new Map([[end, 1]])
}
