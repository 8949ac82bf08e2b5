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

// Where nftables mode differs from iptables mode on purpose, as kube-proxy's does: what a packet meets here instead of
// what it meets there.

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
  'source ranges are asked before anything else, whether or not there are endpoints': ({ packet, draft }) =>
    matchesAt(packet, draft).some(match => isKeptOut(packet, draft, match)) ? only('dropped') : undefined,

  'what is refused to others is refused to the node itself': ({ world, packet, said }) => {
    if (packet.via.hook !== 'output' || isLocal(packet.to, packet) || !said.has('untouched')) return undefined
    const toOthers = oracle(world.objects, world.flags, { ...packet, via: { hook: 'prerouting', iface: '' } })
    return toOthers.has('untouched') ? undefined : toOthers
  },

  'a node port without endpoints is refused where it would have been answered, and nowhere else': meeting => {
    const { packet, draft, said } = meeting
    if (!said.has('rejected') && !said.has('dropped')) return undefined
    if (!isLocal(packet.to, packet) || matchesAt(packet, draft).length > 0) return undefined
    return answersNodePorts(meeting) ? undefined : only('untouched')
  },

  'an undefined port of a cluster IP is refused': ({ packet, draft, said }) => {
    const passesBy = packet.via.hook === 'output' || !isLocal(packet.to, packet)
    return said.has('untouched') && passesBy && clusterIPs(draft).has(packet.to) ? only('rejected') : undefined
  },
}

/** What the packet meets in nftables mode, and the difference that makes it so. */
export function inNftables(meeting: Meeting): { readonly fate: Fate; readonly because?: string } {
  for (const [because, difference] of Object.entries(DIFFERENCES)) {
    const fate = difference(meeting)
    if (fate !== undefined) return { fate, because }
  }
  return { fate: meeting.said }
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
export function nftablesOracle(objects: readonly ClusterObject[], flagsGiven: Flags, packet: Packet): Fate {
  const flags = withoutLocalhost(flagsGiven)
  const world = { objects, flags, addresses: packet.nodeAddresses }
  const said = oracle(objects, flags, packet)
  return inNftables({ world, packet, draft: draftOf(world, familyOf(packet.to)), said }).fate
}

export function clusterIPs(draft: Draft): ReadonlySet<Address | undefined> {
  const frontends = [...draft.resolved()].flatMap(({ traffic }) => traffic.frontends)
  return new Set(frontends.filter(({ kind }) => kind === 'cluster-ip').map(({ ip }) => ip))
}

export function isLoopback(ip: Address): boolean {
  return ip === '::1' || ip.startsWith('127.')
}

export function only(end: string): Fate {
  return new Map([[end, 1]])
}

/** A frontend that a packet is sent to. */
interface Match {
  readonly traffic: ServiceTraffic
  readonly frontend: Frontend
}

function matchesAt({ to, port, protocol }: Packet, draft: Draft): readonly Match[] {
  const matches = [...draft.resolved()].flatMap(({ traffic }) =>
    traffic.frontends.map(frontend => ({ traffic, frontend })),
  )
  return matches.filter(
    ({ traffic, frontend }) => traffic.protocol === protocol && frontend.ip === to && frontend.port === port,
  )
}

function isKeptOut({ from }: Packet, draft: Draft, { traffic, frontend }: Match): boolean {
  const ranges = frontend.sourceRanges
  if (ranges === undefined || ranges.some(range => contains(range, from))) return false
  const nodeIP = draft.nodeFacts?.view.nodeIP
  const ownAddresses = traffic.frontends.filter(({ kind }) => kind === 'load-balancer').map(({ ip }) => ip)
  return !(nodeIP !== undefined && ranges.some(range => contains(range, nodeIP)) && ownAddresses.includes(from))
}

function answersNodePorts({ packet: { to }, draft }: Meeting): boolean {
  const answering = draft.nodeFacts!.view.nodePortAddresses
  return !isLoopback(to) && (answering === 'all' || answering.includes(to))
}

function isLocal(ip: Address, { nodeAddresses }: Packet): boolean {
  return isLoopback(ip) || nodeAddresses.includes(ip)
}
