import { ipPortEntry, type SavedSet } from '#dialects/ipset.ts'
import { splitHostPort, type VirtualServerAddress } from '#dialects/ipvs.ts'
import type { Address, Family } from '#values/address.ts'
import { type Cidr, contains } from '#values/cidr.ts'
import { NODE_PORT_PROTOCOLS, nodePortSet, RECORD, type SetName, setName } from './sets.ts'

// Which virtual servers are ours. IPVS records no owner, and other programs may use it too: their servers are not touched.

export interface Evidence {
  readonly family: Family
  readonly sets: ReadonlyMap<string, SavedSet>
  /** Addresses on kube-ipvs0. */
  readonly bound: ReadonlySet<Address>
  /** The node's own addresses. */
  readonly own: ReadonlySet<Address>
  readonly excludeCIDRs: readonly Cidr[]
}

const FRONTEND_SETS: readonly SetName[] = ['CLUSTER-IP', 'EXTERNAL-IP', 'EXTERNAL-IP-LOCAL', 'LOAD-BALANCER', RECORD]

/**
 * A virtual server is ours where one of our sets has its address and port, or where its address is bound to kube-ipvs0. The
 * member is added before the server is made, and the address is deleted after the server: whenever the agent is killed, one
 * of the two is there.
 */
export function ownership(evidence: Evidence): (server: VirtualServerAddress) => boolean {
  const { bound, excludeCIDRs } = evidence
  const isRecorded = records(evidence)
  return server => {
    if (isRecorded(server)) return true
    const { ip } = splitHostPort(server.at)
    return ip !== undefined && bound.has(ip) && !excludeCIDRs.some(range => contains(range, ip))
  }
}

function records({ family, sets, own }: Evidence): (server: VirtualServerAddress) => boolean {
  const members = (set: SetName): readonly string[] =>
    sets.get(setName(set, family))?.members.map(({ entry }) => entry) ?? []
  const frontends = new Set(FRONTEND_SETS.flatMap(members))
  const isInherited = sets.has(setName(RECORD, family)) ? () => false : inheritance(members, own)
  return server => {
    const { ip, port } = splitHostPort(server.at)
    return ip !== undefined && (frontends.has(ipPortEntry(ip, server.protocol, port)) || isInherited(server))
  }
}

/**
 * Of its servers for node ports, kube-proxy records only the ports. On a node that kube-proxy has left, a server at one of the
 * node's addresses and such a port is ours.
 */
function inheritance(
  members: (set: SetName) => readonly string[],
  own: ReadonlySet<Address>,
): (server: VirtualServerAddress) => boolean {
  const ports = new Map(
    NODE_PORT_PROTOCOLS.map(protocol => [protocol, new Set(members(nodePortSet(protocol, 'Cluster')))]),
  )
  return ({ protocol, at }) => {
    const { ip, port } = splitHostPort(at)
    if (ip === undefined || !own.has(ip)) return false
    return ports.get(protocol)!.has(protocol === 'sctp' ? ipPortEntry(ip, protocol, port) : `${port}`)
  }
}
