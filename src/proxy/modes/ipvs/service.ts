import { ipPortEntry, ipPortSourceEntry } from '#dialects/ipset.ts'
import { serverOptions, WORKING } from '#dialects/ipvs.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Endpoint, Frontend, ServiceTraffic } from '#proxy/desired/traffic.ts'
import { type Entry, LINGERING } from '#proxy/modes/mode.ts'
import { addressUnit, memberUnit, realUnit, serverAddress, serverUnit } from './names.ts'
import { nodePortSet, RECORD, type SetName, setName } from './sets.ts'
import { type VirtualServer, virtualServers } from './virtual-servers.ts'

// One service port → its virtual servers, the endpoints behind them, and its members in the sets that the rules ask.

/** Sets are shared: two ports of a Service have one address, and one pod may serve many Services. */
type Members = (set: SetName, entry: string) => Entry

export function service(traffic: ServiceTraffic, node: NodeView, scheduler: string): readonly Entry[] {
  const member: Members = (set, entry) => ({
    unit: memberUnit(setName(set, node.family), entry),
    text: '',
    shared: true,
  })
  const { healthCheckPort } = traffic
  return [
    ...virtualServers(traffic, node).flatMap(server => [
      ...serverAndReals(traffic, server, scheduler),
      ...address(server, member),
      ...membership({ traffic, server, member }),
    ]),
    ...loopBack(traffic, member),
    ...(healthCheckPort === undefined ? [] : [member('HEALTH-CHECK-NODE-PORT', `${healthCheckPort}`)]),
  ]
}

/** Endpoints that take no new connections here may still have clients from before: they linger, and those clients may finish. */
function serverAndReals(traffic: ServiceTraffic, { ip, port, pool }: VirtualServer, scheduler: string) {
  const { protocol, stickySeconds, pools, leaving = [] } = traffic
  const server = serverAddress(protocol, ip, port)
  const text = serverOptions({ scheduler, ...(stickySeconds !== undefined && { stickySeconds }) })
  const chosen = new Set(pool.map(({ text }) => text))
  const others = [...pools.cluster, ...pools.local, ...leaving].filter(({ text }) => !chosen.has(text))
  const real = (text: string) => (endpoint: Endpoint) => ({ unit: realUnit(server, endpoint.text), text })
  return [{ unit: serverUnit(server), text }, ...pool.map(real(WORKING)), ...others.map(real(LINGERING))]
}

/** Packets to one of the node's own addresses end here already; bound to kube-ipvs0 too, it would stay when the node loses it. */
function address({ ip, isNodes }: VirtualServer, member: Members): readonly Entry[] {
  return isNodes ? [] : [{ unit: addressUnit(ip), text: '', shared: true }, member('IPVS-IPS', ip)]
}

interface Membership {
  readonly traffic: ServiceTraffic
  readonly server: VirtualServer
  readonly member: Members
}

function membership({ traffic, server, member }: Membership): readonly Entry[] {
  const { frontend, ip, port, isNodes } = server
  const entry = ipPortEntry(ip, traffic.protocol, port)
  return [
    ...kindSets(traffic, frontend).map(set =>
      member(set, set.startsWith('NODE-PORT-') ? nodePortEntry(traffic, server) : entry),
    ),
    ...dropSets(frontend).map(set => member(set, entry)),
    ...(isNodes ? [member(RECORD, entry)] : []),
    ...restrictions(frontend, entry, member),
  ]
}

function nodePortEntry({ protocol }: ServiceTraffic, { ip, port }: VirtualServer): string {
  return protocol === 'sctp' ? ipPortEntry(ip, protocol, port) : `${port}`
}

function kindSets({ protocol, gate }: ServiceTraffic, { kind }: Frontend): readonly SetName[] {
  const isLocal = gate?.policy === 'Local'
  switch (kind) {
    case 'cluster-ip':
      return ['CLUSTER-IP']
    case 'external-ip':
      return [isLocal ? 'EXTERNAL-IP-LOCAL' : 'EXTERNAL-IP']
    case 'load-balancer':
      return isLocal ? ['LOAD-BALANCER', 'LOAD-BALANCER-LOCAL'] : ['LOAD-BALANCER']
    case 'node-port':
      return isLocal
        ? [nodePortSet(protocol, 'Cluster'), nodePortSet(protocol, 'Local')]
        : [nodePortSet(protocol, 'Cluster')]
  }
}

/** Without any endpoint there is no virtual server either, and packets are rejected. */
function dropSets({ verdict, admits }: Frontend): readonly SetName[] {
  if (verdict.to === 'drop') return ['DROP']
  return admits === 'insiders' ? ['DROP-OUTSIDE'] : []
}

/** None where the Service has no endpoints: all clients are refused then, whatever their address. */
function restrictions(
  { sourceRanges, sourceAddresses = [], verdict }: Frontend,
  entry: string,
  member: Members,
): readonly Entry[] {
  if (sourceRanges === undefined || verdict.to === 'reject') return []
  return [
    member('LOAD-BALANCER-FW', entry),
    ...sourceRanges.map(range => member('LOAD-BALANCER-SOURCE-CIDR', ipPortSourceEntry(entry, range))),
    ...sourceAddresses.map(ip => member('LOAD-BALANCER-SOURCE-IP', ipPortSourceEntry(entry, ip))),
  ]
}

function loopBack({ protocol, pools, leaving = [] }: ServiceTraffic, member: Members): readonly Entry[] {
  const here = [...pools.cluster, ...pools.local, ...leaving].filter(({ local }) => local)
  const entries = here.map(({ ip, port }) => ipPortSourceEntry(ipPortEntry(ip, protocol, port), ip))
  return [...new Set(entries)].map(entry => member('LOOP-BACK', entry))
}
