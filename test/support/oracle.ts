import type {
  ClusterObject,
  EndpointSlice,
  Node,
  Service,
  ServicePortSpec,
  SliceEndpoint,
} from '#kubernetes/objects.ts'
import { type Address, type Family, familyOf, hostPort } from '#values/address.ts'
import { type Cidr, contains, prefixLength } from '#values/cidr.ts'
import type { Fate, FirstPacket } from './first-packet.ts'
import type { Flags } from './flags.ts'

// Objects, flags and a first packet → where kube-proxy lets it end. Written from kube-proxy's documented behaviour
// alone: it shares no code with the modes it is compared with, and knows no chains.

type Scene = {
  objects: readonly ClusterObject[]
  flags: Flags
  packet: FirstPacket
  family: Family
  node: Node | undefined
}
type OracleFrontend = { service: Service; port: ServicePortSpec; kind: 'cluster' | 'external' | 'balancer' | 'node' }
type Target = SliceEndpoint & { readonly text: string }

export function oracle(objects: readonly ClusterObject[], flags: Flags, packet: FirstPacket): Fate {
  const node = objects.find(object => object.kind === 'Node' && object.name === flags.nodeName) as Node | undefined
  const scene: Scene = { objects, flags, packet, family: familyOf(packet.to), node }
  const fates = frontendsAt(scene).map(frontend => fateAt(frontend, scene))
  const fate = fates.find(ends => !stays(ends)) ?? fates[0] ?? only('untouched')
  return stays(fate) && isMartian(scene) ? only('dropped') : fate
}

const isReady = ({ ready }: Target): boolean => ready
const only = (end: string): Fate => new Map([[end, 1]])
const stays = (fate: Fate): boolean => ['untouched', 'rejected', 'dropped'].some(end => fate.has(end))
const inLoopback = (ip: string): boolean => ip === '::1' || ip.startsWith('127.')
const isLocal = (ip: Address, packet: FirstPacket): boolean => inLoopback(ip) || packet.nodeAddresses.includes(ip)
const own = <T extends string>(all: readonly T[], family: Family): readonly T[] =>
  all.filter(text => text.includes(':') === (family === 'ipv6'))

/**
 * Of two Services that claim one frontend the older has it, then the first by name; an address comes before a node
 * port.
 */
function frontendsAt({ objects, packet, family }: Scene): readonly OracleFrontend[] {
  const services = objects.filter(o => o.kind === 'Service').filter(({ type }) => type !== 'ExternalName')
  const served = services.filter(({ clusterIPs }) => own(clusterIPs, family).length > 0)
  const candidates = served
    .toSorted((a, b) => a.created - b.created || (a.name < b.name ? -1 : 1))
    .flatMap(service => service.ports.map(port => ({ service, port })))
    .filter(({ port }) => port.protocol === packet.protocol)
  const named = candidates.flatMap(candidate => {
    const { clusterIPs: cluster, externalIPs: external, loadBalancerIPs: balancer } = candidate.service
    const kinds = Object.entries({ cluster, external, balancer }).filter(([, ips]) => ips.includes(packet.to))
    return candidate.port.port === packet.port
      ? kinds.map(([kind]) => ({ ...candidate, kind: kind as OracleFrontend['kind'] }))
      : []
  })
  if (named.length > 0) return named.filter(({ service }) => service === named[0]!.service)
  const nodePorts = candidates.filter(({ port }) => isLocal(packet.to, packet) && port.nodePort === packet.port)
  return nodePorts.slice(0, 1).map(candidate => ({ ...candidate, kind: 'node' }))
}

function fateAt(frontend: OracleFrontend, scene: Scene): Fate {
  const { service, kind } = frontend
  const { packet, flags } = scene
  const { cluster, local } = endpointSets(frontend, scene)
  const origin = detected(scene)
  if (kind === 'cluster') {
    if (cluster.length === 0) return only('rejected')
    const targets = service.internalPolicy === 'Local' ? local : cluster
    return to(targets, flags.masqueradeAll || origin === 'other', frontend, scene)
  }
  const isExternalLocal =
    service.externalPolicy === 'Local' && (service.type !== 'ClusterIP' || service.externalIPs.length > 0)
  const lacksLocal = isExternalLocal && local.length === 0
  if (cluster.length === 0) return refused('rejected', scene)
  if (kind === 'node' && !answersNodePorts(scene)) return lacksLocal ? refused('dropped', scene) : only('untouched')
  if (kind === 'balancer' && !isAdmitted(frontend, scene)) return only('dropped')
  if (!isExternalLocal) return to(cluster, true, frontend, scene)
  if (origin === 'pod') return to(cluster, false, frontend, scene)
  if (isLocal(packet.from, packet)) return to(cluster, true, frontend, scene)
  return lacksLocal ? refused('dropped', scene) : to(local, false, frontend, scene)
}

/**
 * At external addresses the node refuses packets it receives or forwards, not packets it sends to other hosts itself.
 */
function refused(end: 'rejected' | 'dropped', { packet }: Scene): Fate {
  return only(packet.via.hook === 'output' && !isLocal(packet.to, packet) ? 'untouched' : end)
}

function to(targets: readonly Target[], masquerade: boolean, { service }: OracleFrontend, { packet }: Scene): Fate {
  if (targets.length === 0) return only('dropped')
  const { last } = packet
  const remembered = last !== undefined && last.secondsAgo <= (service.stickySeconds ?? -1)
  const kept = targets.filter(({ text }) => remembered && text === last.endpoint)
  const chosen = kept.length > 0 ? kept : targets
  const ends = chosen.map(({ ip, text }) => {
    const leaves = packet.via.hook === 'output' || !isLocal(ip, packet)
    return leaves && (masquerade || ip === packet.from) ? `${text} masqueraded` : text
  })
  return new Map(ends.map(end => [end, 1 / ends.length]))
}

function endpointSets({ service, port }: OracleFrontend, { objects, flags, family, node }: Scene) {
  const slices = objects.filter((o): o is EndpointSlice => o.kind === 'EndpointSlice' && o.service === service.name)
  const listed = slices
    .filter(slice => slice.family === family)
    .flatMap(({ ports, endpoints }) => {
      const numbers = ports.filter(({ name, protocol }) => name === port.name && protocol === port.protocol)
      return numbers.flatMap(number => endpoints.map(e => ({ ...e, text: hostPort(e.ip, number.port) })))
    })
  // Of an endpoint in two slices, the entry that is not terminating counts; then the one with the better conditions.
  const health = (e: Target): number => Number(!e.terminating) * 4 + Number(e.ready) * 2 + Number(e.serving)
  const all = [...new Map(listed.toSorted((a, b) => health(a) - health(b)).map(e => [e.text, e])).values()]
  const here = all.filter(({ nodeName }) => nodeName === flags.nodeName)
  const near = nearby(all.filter(isReady), flags.nodeName, node?.zone)
  return { cluster: orLeaving(near, all), local: orLeaving(here.filter(isReady), here) }
}

function orLeaving(some: readonly Target[], all: readonly Target[]): readonly Target[] {
  return some.length > 0 ? some : all.filter(({ serving, terminating }) => serving && terminating)
}

function nearby(ready: readonly Target[], nodeName: string, zone: string | undefined): readonly Target[] {
  const sameNode = ready.filter(({ forNodes }) => forNodes?.includes(nodeName))
  if (sameNode.length > 0 && ready.every(({ forNodes = [] }) => forNodes.length > 0)) return sameNode
  const sameZone = ready.filter(({ forZones }) => zone !== undefined && forZones?.includes(zone))
  return sameZone.length > 0 && ready.every(({ forZones = [] }) => forZones.length > 0) ? sameZone : ready
}

function isAdmitted({ service }: OracleFrontend, scene: Scene): boolean {
  const { packet, family, node } = scene
  const ranges = own(service.sourceRanges, family)
  const holds = (ip: Address | undefined): boolean => ip !== undefined && ranges.some(range => contains(range, ip))
  if (ranges.length === 0 || ranges.some(range => prefixLength(range) === 0) || holds(packet.from)) return true
  const atItself = frontendsAt({ ...scene, packet: { ...packet, to: packet.from } })
  const isOwnVIP = atItself.some(({ kind, service: owner }) => kind === 'balancer' && owner === service)
  return isOwnVIP && holds(own(node?.addresses ?? [], family)[0])
}

function detected({ flags: { localPods }, family, node, packet }: Scene): 'pod' | 'other' | undefined {
  const iface = packet.via.hook === 'prerouting' ? packet.via.iface : ''
  if (localPods.by === 'bridge') return iface === localPods.name ? 'pod' : 'other'
  if (localPods.by === 'prefix') return iface.startsWith(localPods.prefix) ? 'pod' : 'other'
  const [cidr] = own(localPods.by === 'cluster-cidr' ? localPods.cidrs : (node?.podCIDRs ?? []), family)
  return cidr && (contains(cidr, packet.from) ? 'pod' : 'other')
}

/** Undefined: every address of the node. */
function nodePortRanges({ flags: { nodePortAddresses: given }, family, node }: Scene): readonly Cidr[] | undefined {
  const primary = own(node?.addresses ?? [], family).slice(0, 1)
  const bits = family === 'ipv4' ? 32 : 128
  const ranges = given === 'primary' ? primary.map(ip => `${ip}/${bits}` as Cidr) : own(given, family)
  return ranges.length === 0 || ranges.some(range => prefixLength(range) === 0) ? undefined : ranges
}

function hasLocalhostPorts(scene: Scene): boolean {
  const ranges = nodePortRanges(scene)
  const reaches = ranges?.some(range => inLoopback(range) || contains(range, '127.0.0.0' as Address)) ?? true
  return scene.family === 'ipv4' && scene.flags.localhostNodePorts && reaches
}

function answersNodePorts(scene: Scene): boolean {
  const { to, nodeAddresses } = scene.packet
  if (inLoopback(to) && !hasLocalhostPorts(scene)) return false
  return nodePortRanges(scene)?.some(range => nodeAddresses.includes(to) && contains(range, to)) ?? true
}

/**
 * With node ports on localhost, hosts on the same link could route to 127.0.0.0/8: packets to anything else there are
 * dropped.
 */
function isMartian(scene: Scene): boolean {
  return hasLocalhostPorts(scene) && inLoopback(scene.packet.to) && !inLoopback(scene.packet.from)
}
