import type { SetSpec } from '#dialects/ipset.ts'
import type { Family } from '#values/address.ts'
import type { Protocol } from '#values/protocol.ts'

// The ipsets that the rules look up: kube-proxy's, by its names, and three that it lacks.

export type SetName =
  | 'LOOP-BACK'
  | 'CLUSTER-IP'
  | 'EXTERNAL-IP'
  | 'EXTERNAL-IP-LOCAL'
  | 'LOAD-BALANCER'
  | 'LOAD-BALANCER-LOCAL'
  | 'LOAD-BALANCER-FW'
  | 'LOAD-BALANCER-SOURCE-IP'
  | 'LOAD-BALANCER-SOURCE-CIDR'
  | 'NODE-PORT-TCP'
  | 'NODE-PORT-UDP'
  | 'NODE-PORT-SCTP-HASH'
  | 'NODE-PORT-LOCAL-TCP'
  | 'NODE-PORT-LOCAL-UDP'
  | 'NODE-PORT-LOCAL-SCTP-HASH'
  | 'HEALTH-CHECK-NODE-PORT'
  | 'IPVS-IPS'
  | 'NODE-PORT-IP'
  | 'DROP'
  | 'DROP-OUTSIDE'

interface SetKind {
  readonly type: 'hash:ip' | 'hash:ip,port' | 'hash:ip,port,ip' | 'hash:ip,port,net' | 'bitmap:port'
  readonly comment: string
}

const SETS: Readonly<Record<SetName, SetKind>> = {
  'LOOP-BACK': {
    type: 'hash:ip,port,ip',
    comment: 'Kubernetes endpoints dst ip:port, source ip for solving hairpin purpose',
  },
  'CLUSTER-IP': { type: 'hash:ip,port', comment: 'Kubernetes service cluster ip + port for masquerade purpose' },
  'EXTERNAL-IP': {
    type: 'hash:ip,port',
    comment: 'Kubernetes service external ip + port for masquerade and filter purpose',
  },
  'EXTERNAL-IP-LOCAL': {
    type: 'hash:ip,port',
    comment: 'Kubernetes service external ip + port with externalTrafficPolicy=local',
  },
  'LOAD-BALANCER': { type: 'hash:ip,port', comment: 'Kubernetes service lb portal' },
  'LOAD-BALANCER-LOCAL': {
    type: 'hash:ip,port',
    comment: 'Kubernetes service load balancer ip + port with externalTrafficPolicy=local',
  },
  // Before LOAD-BALANCER-FW, whose members drop packets: the admitted sources are in their sets by then.
  'LOAD-BALANCER-SOURCE-IP': {
    type: 'hash:ip,port,ip',
    comment: 'Kubernetes service load balancer ip + port + source IP for packet filter purpose',
  },
  'LOAD-BALANCER-SOURCE-CIDR': {
    type: 'hash:ip,port,net',
    comment: 'Kubernetes service load balancer ip + port + source cidr for packet filter purpose',
  },
  'LOAD-BALANCER-FW': {
    type: 'hash:ip,port',
    comment: 'Kubernetes service load balancer ip + port for load balancer with sourceRange',
  },
  'NODE-PORT-TCP': { type: 'bitmap:port', comment: 'Kubernetes nodeport TCP port for masquerade purpose' },
  'NODE-PORT-UDP': { type: 'bitmap:port', comment: 'Kubernetes nodeport UDP port for masquerade purpose' },
  'NODE-PORT-SCTP-HASH': {
    type: 'hash:ip,port',
    comment: 'Kubernetes nodeport SCTP port for masquerade purpose with type hash ip:port',
  },
  'NODE-PORT-LOCAL-TCP': {
    type: 'bitmap:port',
    comment: 'Kubernetes nodeport TCP port with externalTrafficPolicy=local',
  },
  'NODE-PORT-LOCAL-UDP': {
    type: 'bitmap:port',
    comment: 'Kubernetes nodeport UDP port with externalTrafficPolicy=local',
  },
  'NODE-PORT-LOCAL-SCTP-HASH': {
    type: 'hash:ip,port',
    comment: 'Kubernetes nodeport SCTP port with externalTrafficPolicy=local with type hash ip:port',
  },
  'HEALTH-CHECK-NODE-PORT': { type: 'bitmap:port', comment: 'Kubernetes health check node port' },
  'IPVS-IPS': { type: 'hash:ip', comment: 'Addresses on the ipvs interface' },
  'NODE-PORT-IP': { type: 'hash:ip,port', comment: 'Kubernetes node ip + port with a virtual server' },
  DROP: { type: 'hash:ip,port', comment: 'Kubernetes service ip + port without local endpoints' },
  'DROP-OUTSIDE': {
    type: 'hash:ip,port',
    comment: 'Kubernetes service ip + port without local endpoints for traffic from outside',
  },
}

export const SET_NAMES = Object.keys(SETS) as readonly SetName[]

/** The kernel takes 31 characters; kube-proxy cuts longer names off, and so do we. */
export function setName(set: SetName, family: Family): string {
  return (family === 'ipv4' ? `KUBE-${set}` : `KUBE-6-${set}`).slice(0, 31)
}

/** Where a set of another type is built anew. Each family has its own: both may do so at once. */
export const TEMPORARY_SETS: Readonly<Record<Family, string>> = { ipv4: 'KUBE-TEMPORARY', ipv6: 'KUBE-6-TEMPORARY' }

/**
 * ipset's own limit of 65,536 members is too small for a large cluster, and cannot be changed later. The limit costs
 * nothing until it is reached: the kernel makes room as members come.
 */
const MAX_MEMBERS = 4_194_304

/** Members of this set can have a timeout, after which the kernel deletes them. */
export const RECORD: SetName = 'NODE-PORT-IP'

/**
 * True for sets whose members are not masqueraded, because they lead to endpoints of this node alone: other nodes would
 * answer the client directly, and it would not know the sender. So a member comes after the last endpoint elsewhere has
 * gone, and goes before the first one comes.
 */
export function keepsSource(set: SetName | undefined): boolean {
  return set !== undefined && KEEPING_SOURCE.has(set)
}

const KEEPING_SOURCE: ReadonlySet<SetName> = new Set([
  'EXTERNAL-IP-LOCAL',
  'LOAD-BALANCER-LOCAL',
  'NODE-PORT-LOCAL-TCP',
  'NODE-PORT-LOCAL-UDP',
  'NODE-PORT-LOCAL-SCTP-HASH',
])

export function setSpec(set: SetName, family: Family): SetSpec {
  const { type } = SETS[set]
  if (type === 'bitmap:port') return `${type} range 0-65535`
  const words = `${type} family ${family === 'ipv4' ? 'inet' : 'inet6'} maxelem ${MAX_MEMBERS}`
  return set === RECORD ? `${words} timeout 0` : words
}

export function setComment(set: SetName): string {
  return SETS[set].comment
}

export function setOf(name: string, family: Family): SetName | undefined {
  return BY_NAME[family].get(name)
}

const BY_NAME: Readonly<Record<Family, ReadonlyMap<string, SetName>>> = {
  ipv4: new Map(SET_NAMES.map(set => [setName(set, 'ipv4'), set])),
  ipv6: new Map(SET_NAMES.map(set => [setName(set, 'ipv6'), set])),
}

/** The set a node port is a member of. kube-proxy has bitmaps for TCP and UDP; for SCTP, addresses and ports. */
export function nodePortSet(protocol: Protocol, policy: 'Cluster' | 'Local'): SetName {
  const infix = policy === 'Local' ? 'LOCAL-' : ''
  return protocol === 'sctp' ? `NODE-PORT-${infix}SCTP-HASH` : `NODE-PORT-${infix}${protocol === 'tcp' ? 'TCP' : 'UDP'}`
}

/** In the order in which the rules look up the sets of node ports. */
export const NODE_PORT_PROTOCOLS: readonly Protocol[] = ['tcp', 'udp', 'sctp']
