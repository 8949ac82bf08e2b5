import type { Addresses } from '#lab/network/topology.ts'
import type { Family } from '#values/address.ts'

// The cluster's map → the lines for `ip` that draw it.
//
//   pods ── cni0 [ node-1 ] eth0 ──┐
//   pods ── cni0 [ node-2 ] eth0 ──┼── lan0 [ outside ]   (the API server, a client beyond the cluster, the switch)
//   …                              ┘
//
// Node N is 192.0.2.(10+N) and 2001:db8::(10+N). How its pods get there is the work of the daemon on it.

export const OUTSIDE: Addresses = { ip4: '192.0.2.1', ip6: '2001:db8::1' }
/** Of the link between the nodes. */
export const LINK_RANGES = ['192.0.2.0/24', '2001:db8::/64'] as const
/** Where nodes find the API server. */
export const API_PORT = 6443
/** The range of all pods, of both families. */
export const CLUSTER_CIDRS = ['10.244.0.0/16', 'fd00:244::/32'] as const
/** Node 245 would have addresses beyond its link. */
export const MOST_NODES = 200

export function nodeName(number: number): string {
  return `node-${number}`
}

export function nodeAddresses(number: number): Addresses {
  return { ip4: `192.0.2.${10 + number}`, ip6: `2001:db8::${10 + number}` }
}

export function nodePodCIDRs(number: number, families: readonly Family[]): readonly string[] {
  return [`10.244.${number}.0/24`, `fd00:244:${number}::/64`].filter(isSpoken(families))
}

/** Those of the families that this kernel has. */
export function ofFamilies({ ip4, ip6 }: Addresses, families: readonly Family[]): readonly string[] {
  return families.map(family => (family === 'ipv4' ? ip4 : ip6))
}

/** In outside. */
export function linkLines(families: readonly Family[]): readonly string[] {
  return [
    'link set lo up',
    'link add lan0 type bridge mcast_snooping 0',
    `addr add ${OUTSIDE.ip4}/24 dev lan0`,
    `addr add ${OUTSIDE.ip6}/64 dev lan0 nodad`,
    'link set lan0 up',
  ].filter(isSpoken(families))
}

/** What a client outside sends to Services goes through the node. */
export function serviceRouteLines(cidrs: readonly string[], via: Addresses, families: readonly Family[]) {
  return cidrs
    .map(cidr => `route replace ${cidr} via ${cidr.includes(':') ? via.ip6 : via.ip4}`)
    .filter(isSpoken(families))
}

/** In outside: a cable to the node, plugged into the switch. The two ends have different indexes, so that they come up at once. */
export function cableLines(number: number, nodeNamespace: string): readonly string[] {
  const name = nodeName(number)
  return [
    `link add ${name} index ${100 + number} type veth peer name eth0 netns ${nodeNamespace}`,
    `link set ${name} master lan0 up`,
  ]
}

/** In the node. */
export function nodeLines(number: number, families: readonly Family[]): readonly string[] {
  const { ip4, ip6 } = nodeAddresses(number)
  return [
    'link set lo up',
    `addr add ${ip4}/24 dev eth0`,
    `addr add ${ip6}/64 dev eth0 nodad`,
    'link set eth0 up',
    `route add default via ${OUTSIDE.ip4}`,
    `route add ::/0 via ${OUTSIDE.ip6}`,
  ].filter(isSpoken(families))
}

/** A kernel without IPv6 gets the cluster without its IPv6 lines. */
function isSpoken(families: readonly Family[]): (line: string) => boolean {
  return line => families.includes('ipv6') || !/:.*:/.test(line)
}
