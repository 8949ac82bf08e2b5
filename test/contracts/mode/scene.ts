import type { Service } from '#kubernetes/objects.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { ThisNode } from '#proxy/desired/this-node.ts'
import type { Mode, Ruleset } from '#proxy/modes/mode.ts'
import type { Packet } from '#proxy/modes/trace.ts'
import { Draft } from '#proxy/sync/draft.ts'
import { type Address, type Family, hostPort } from '#values/address.ts'
import type { Protocol } from '#values/protocol.ts'
import { cidr, endpoint, ip, port, service, slice, slicePort } from '../../support/objects.ts'

// One Service on one node, with names for all addresses, so that one case covers both families.

/** The sender of a packet, an endpoint, or the destination, by a name. */
export type HostName = keyof (typeof ADDRESSES)['ipv4']

const ADDRESSES = {
  ipv4: {
    'pod here': '10.244.1.2',
    'pod there': '10.244.2.3',
    client: '10.244.1.9',
    outside: '203.0.113.7',
    node: '10.99.0.2',
    'second address': '10.99.0.22',
    loopback: '127.0.0.1',
    'cluster IP': '10.96.0.10',
    'external IP': '198.18.0.7',
    'load balancer': '198.18.0.8',
  },
  ipv6: {
    'pod here': 'fd00:244:1::2',
    'pod there': 'fd00:244:2::3',
    client: 'fd00:244:1::9',
    outside: '2001:db8::7',
    node: 'fd00:99::2',
    'second address': 'fd00:99::22',
    loopback: '::1',
    'cluster IP': 'fd10:96::10',
    'external IP': 'fd00:198:18::7',
    'load balancer': 'fd00:198:18::8',
  },
} as const

const RANGES = {
  pods: { ipv4: '10.244.0.0/16', ipv6: 'fd00:244::/32' },
  outside: { ipv4: '203.0.113.0/24', ipv6: '2001:db8::/32' },
  nodes: { ipv4: '10.99.0.0/24', ipv6: 'fd00:99::/64' },
} as const

/** The names of a case, as addresses and ranges of one family. */
export interface At {
  ip(host: HostName): Address
  range(name: keyof typeof RANGES): NonNullable<Service['sourceRanges']>[number]
}

export interface Given {
  readonly service?: (at: At) => Partial<Service>
  /** Default: both pods. */
  readonly endpoints?: readonly HostName[]
  readonly masquerade?: ThisNode['masquerade']
  readonly view?: (at: At) => Partial<NodeView>
}

export interface CasePacket {
  readonly from: HostName
  readonly to: HostName
  /** Default: 80. */
  readonly port?: number
  readonly protocol?: Protocol
  readonly last?: { readonly at: HostName; readonly secondsAgo: number }
}

export const NODE_PORT = 30080
export const WITH_NODE_PORT: Partial<Service> = { ports: [port({ port: 80, nodePort: NODE_PORT })] }

export function at(family: Family): At {
  return { ip: host => ip(ADDRESSES[family][host]), range: name => cidr(RANGES[name][family]) }
}

export function rulesOf(mode: Mode, family: Family, given: Given): Ruleset {
  const words = at(family)
  const cluster = new Cluster()
  const hosts = given.endpoints ?? ['pod here', 'pod there']
  const ends = hosts.map(host => endpoint(words.ip(host), { nodeName: host === 'pod there' ? 'there' : 'here' }))
  const ports = [slicePort(8080), slicePort(8080, 'udp', 'udp')]
  for (const object of [
    service('shop/web', [words.ip('cluster IP')], given.service?.(words)),
    slice('shop/web-1', 'shop/web', ends, { family, ports }),
  ]) {
    cluster.apply({ type: 'put', object })
  }
  const masquerade = given.masquerade ?? ('from-outside' as const)
  const view = { ...viewOf(family, words), masquerade, ...given.view?.(words) }
  const thisNode = { family, nodeName: 'here', masquerade, nodeIP: words.ip('node') }
  const draft = new Draft(cluster, mode, () => ({ thisNode, view, addresses: [] }))
  draft.update()
  return draft.book.rules
}

function viewOf(family: Family, words: At): NodeView {
  return {
    family,
    mark: 0x4000,
    localPods: { by: 'cidr', cidr: words.range('pods') },
    nodePortAddresses: 'all',
    localhostNodePorts: false,
    masquerade: 'from-outside',
    dropInvalid: true,
    endpointComments: true,
    nodeIP: words.ip('node'),
    nodeAddresses: [words.ip('node'), words.ip('second address'), words.ip('loopback')],
  }
}

export function packetIn(family: Family, { from, to, port = 80, protocol = 'tcp', last }: CasePacket): Packet {
  const { ip } = at(family)
  const iface = from === 'client' || from === 'pod here' ? 'cni0' : 'eth0'
  return {
    protocol,
    from: ip(from),
    to: ip(to),
    port,
    via: from === 'node' ? { hook: 'output' } : { hook: 'prerouting', iface },
    nodeAddresses: [ip('node'), ip('second address'), ip('loopback')],
    ...(last !== undefined && { last: { endpoint: hostPort(ip(last.at), 8080), secondsAgo: last.secondsAgo } }),
  }
}

/** `pod here masqueraded` → `10.244.1.2:8080 masqueraded`; other ends stay as they are. */
export function endIn(family: Family, end: string): string {
  const host = end.replace(' masqueraded', '')
  if (!(host in ADDRESSES[family])) return end
  return end.replace(host, hostPort(at(family).ip(host as HostName), 8080))
}
