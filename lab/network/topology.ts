import type { Family } from '#values/address.ts'

// The lab's map → the lines for `ip` that draw it.
//
//   pod ── cni0 [ node ] eth0 ──┐
//   pod ──┘                     ├── eth0 [ outside ]   (a client beyond the cluster, and the switch between the three)
//          [ remote ] eth0 ─────┘                      (another node, with pods of its own)
//
// outside has no route to any pod, and remote answers outside directly: a packet from outside to a remote pod comes back
// only where the node masqueraded it.

export interface Addresses {
  readonly ip4: string
  readonly ip6: string
}

/** The second pair is for rules that name some of the node's addresses and not others. */
export const NODE = { ip4: '10.99.0.2', ip6: 'fd00:99::2', second: { ip4: '10.99.0.22', ip6: 'fd00:99::22' } } as const
export const OUTSIDE: Addresses = { ip4: '10.99.0.1', ip6: 'fd00:99::1' }
export const REMOTE: Addresses = { ip4: '10.99.0.3', ip6: 'fd00:99::3' }
/** The node's address on its pods' bridge: what a pod sees of a packet that the node masqueraded. */
export const BRIDGE: Addresses = { ip4: '10.244.1.1', ip6: 'fd00:244:1::1' }

export const NODE_POD_CIDRS = ['10.244.1.0/24', 'fd00:244:1::/64'] as const
export const REMOTE_POD_CIDRS = ['10.244.2.0/24', 'fd00:244:2::/64'] as const

/** What outside reaches through the node: cluster IPs, and addresses for load balancers and external IPs. */
export const SERVICE_CIDRS = ['10.96.0.0/12', '198.18.0.0/15', 'fd10:96::/108', 'fd00:198:18::/64'] as const

/**
 * How pods reach each other. `bridged`: over the bridge, where bridge-netfilter shows their replies to the node's rules.
 * `routed`: through the node, always; for kernels without bridge-netfilter, where a reply over the bridge would arrive
 * with the pod's address instead of the Service's and be refused.
 */
export type PodNetwork = 'bridged' | 'routed'

const SEGMENT_BITS: Readonly<Record<Family, number>> = { ipv4: 24, ipv6: 64 }
const HOST_BITS: Readonly<Record<Family, number>> = { ipv4: 32, ipv6: 128 }

// IPv6 starts on an interface when the kernel has noticed its carrier, and the kernel takes up to a second to notice, unless
// it has reason to hurry. Two things keep the lab from waiting: far ends come up first, then ports, then the bridge; and the
// two ends of a cable have different interface indexes (where they are equal it takes the cable for an ordinary card).

/** The cables between the three hosts, drawn from beyond all of them. The far ends have index 2. */
export function cables(namespaces: Readonly<Record<'node' | 'outside' | 'remote', string>>): readonly string[] {
  const { outside, node, remote } = namespaces
  return [
    `link add node index 10 netns ${outside} type veth peer name eth0 netns ${node}`,
    `link add remote index 11 netns ${outside} type veth peer name eth0 netns ${remote}`,
  ]
}

export function nodeLines(families: readonly Family[]): readonly string[] {
  return [
    'link set lo up',
    ...addressLines('eth0', NODE, SEGMENT_BITS),
    extraAddressLine(NODE.second.ip4),
    extraAddressLine(NODE.second.ip6),
    'link set eth0 up',
    'link add cni0 type bridge mcast_snooping 0',
    ...addressLines('cni0', BRIDGE, SEGMENT_BITS),
    ...['default', '::/0'].map(cidr => `route add ${cidr} via ${sameFamily(cidr, OUTSIDE)}`),
    ...REMOTE_POD_CIDRS.map(cidr => `route add ${cidr} via ${sameFamily(cidr, REMOTE)}`),
  ].filter(speaks(families))
}

export function remoteLines(families: readonly Family[]): readonly string[] {
  return [
    'link set lo up',
    ...addressLines('eth0', REMOTE, SEGMENT_BITS),
    'link set eth0 up',
    ...NODE_POD_CIDRS.map(cidr => `route add ${cidr} via ${sameFamily(cidr, NODE)}`),
  ].filter(speaks(families))
}

/** After the other two. */
export function outsideLines(families: readonly Family[]): readonly string[] {
  return [
    'link set lo up',
    'link add eth0 type bridge mcast_snooping 0',
    'link set node master eth0 up',
    'link set remote master eth0 up',
    ...addressLines('eth0', OUTSIDE, SEGMENT_BITS),
    'link set eth0 up',
    ...SERVICE_CIDRS.map(cidr => `route add ${cidr} via ${sameFamily(cidr, NODE)}`),
  ].filter(speaks(families))
}

/** In the node: the cable to a pod. */
export function podCable(port: string, podNamespace: string): string {
  return `link add ${port} type veth peer name eth0 netns ${podNamespace}`
}

export function podLines(pod: Addresses, network: PodNetwork, families: readonly Family[]): readonly string[] {
  return [
    'link set lo up',
    ...addressLines('eth0', pod, network === 'bridged' ? SEGMENT_BITS : HOST_BITS),
    'link set eth0 up',
    ...['default', '::/0'].map(cidr => `route add ${cidr} via ${sameFamily(cidr, BRIDGE)} dev eth0 onlink`),
  ].filter(speaks(families))
}

/** In the node, after the pods: their ports. With hairpin a pod is sent what it sent to itself, as it is with CNI. */
export function portLines(ports: readonly string[]): readonly string[] {
  const plugged = ports.flatMap(port => [
    `link set ${port} master cni0 up`,
    `link set ${port} type bridge_slave hairpin on`,
  ])
  return [...plugged, 'link set cni0 up']
}

/**
 * One more address for a host, wherever packets for it may come from. IPv6 would leave from the newest address; with a
 * preferred lifetime of 0 it is answered on, and a host goes on speaking from its first one.
 */
export function extraAddressLine(address: string): string {
  return address.includes(':')
    ? `addr add ${address}/128 dev eth0 nodad preferred_lft 0`
    : `addr add ${address}/32 dev eth0`
}

function addressLines(device: string, { ip4, ip6 }: Addresses, bits: Readonly<Record<Family, number>>) {
  return [`addr add ${ip4}/${bits.ipv4} dev ${device}`, `addr add ${ip6}/${bits.ipv6} dev ${device} nodad`]
}

function sameFamily(cidr: string, { ip4, ip6 }: Addresses): string {
  return cidr.includes(':') ? ip6 : ip4
}

/** A kernel without IPv6 gets the lab without its IPv6 lines. */
function speaks(families: readonly Family[]): (line: string) => boolean {
  return line => families.includes('ipv6') || !/:.*:/.test(line)
}
