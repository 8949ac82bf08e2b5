import * as words from '#dialects/nft.ts'
import { rule } from '#dialects/words.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Entry } from '#proxy/modes/mode.ts'
import { isLoopback } from '#values/address.ts'
import * as maps from './maps.ts'
import * as names from './names.ts'

// A node without a single Service → the chains every new connection passes, and the maps in which they look up its destination.

export function base(node: NodeView): readonly Entry[] {
  return [
    { unit: names.TABLE_UNIT, text: '' },
    ...maps.containers(node.family),
    ...nodePortIPs(node),
    ...BASE_CHAINS.map(([name, hook, ...rules]) =>
      chain(name, words.hookLine({ ...hook, policy: 'accept' }), ...rules),
    ),
    chain(names.SERVICES, ...services(node)),
    chain(names.MASQUERADING, ...masquerading(node)),
    ...checks(node),
    chain(names.REJECT, 'reject'),
  ]
}

type BaseChain = readonly [name: string, hook: Omit<words.Hook, 'policy'>, ...rules: readonly string[]]

/**
 * Source ranges are checked before DNAT, for they belong to the address the client connected to. Frontends without endpoints are
 * refused after DNAT: a packet that was translated has another destination by then.
 */
const BASE_CHAINS: readonly BaseChain[] = [
  ['filter-prerouting-pre-dnat', { type: 'filter', hook: 'prerouting', priority: -110 }, ifNew(names.FIREWALL_CHECK)],
  ['filter-output-pre-dnat', { type: 'filter', hook: 'output', priority: -110 }, ifNew(names.FIREWALL_CHECK)],
  [
    'filter-input',
    { type: 'filter', hook: 'input', priority: 0 },
    ifNew(names.NODEPORT_ENDPOINTS_CHECK),
    ifNew(names.SERVICE_ENDPOINTS_CHECK),
  ],
  [
    'filter-forward',
    { type: 'filter', hook: 'forward', priority: 0 },
    ifNew(names.SERVICE_ENDPOINTS_CHECK),
    ifNew(names.CLUSTER_IPS_CHECK),
  ],
  [
    'filter-output',
    { type: 'filter', hook: 'output', priority: 0 },
    ifNew(names.SERVICE_ENDPOINTS_CHECK),
    ifNew(names.CLUSTER_IPS_CHECK),
  ],
  ['nat-prerouting', { type: 'nat', hook: 'prerouting', priority: -100 }, `jump ${names.SERVICES}`],
  ['nat-output', { type: 'nat', hook: 'output', priority: -100 }, `jump ${names.SERVICES}`],
  ['nat-postrouting', { type: 'nat', hook: 'postrouting', priority: 100 }, `jump ${names.MASQUERADING}`],
]

function ifNew(target: string): string {
  return `ct state new jump ${target}`
}

function chain(name: string, ...lines: readonly string[]): Entry {
  return { unit: names.chainUnit(name), text: lines.join('\n') }
}

/** A packet to a frontend with an address never reaches the lookup of node ports: the verdict of the first map is a goto. */
function services(node: NodeView): readonly string[] {
  return [
    rule(byAddress(node), `vmap @${maps.SERVICE_IPS}`),
    rule(nodeAddress(node, 'fib daddr type local'), BY_PORT, `vmap @${maps.SERVICE_NODEPORTS}`),
  ]
}

/** The mark is cleared, so that a second pass through this chain does not masquerade again. */
function masquerading({ family, mark }: NodeView): readonly string[] {
  const { saddr, daddr } = words.FAMILY_WORDS[family]
  return [
    rule(words.marked(mark), words.clearMark(mark), words.MASQUERADE),
    // A pod that reached itself through a Service: its reply would go straight back, and TCP rejects it.
    rule('ct status dnat', words.concat(saddr, daddr), `@${maps.HAIRPIN}`, words.MASQUERADE),
  ]
}

function checks(node: NodeView): readonly Entry[] {
  const { daddr } = words.FAMILY_WORDS[node.family]
  return [
    chain(names.FIREWALL_CHECK, rule(byAddress(node), `vmap @${maps.FIREWALL_IPS}`)),
    chain(names.SERVICE_ENDPOINTS_CHECK, rule(byAddress(node), `vmap @${maps.NO_ENDPOINT_SERVICES}`)),
    chain(names.NODEPORT_ENDPOINTS_CHECK, rule(nodeAddress(node), BY_PORT, `vmap @${maps.NO_ENDPOINT_NODEPORTS}`)),
    chain(
      names.CLUSTER_IPS_CHECK,
      rule(daddr, `@${maps.CLUSTER_IPS} reject`, words.comment('undefined port of a cluster IP')),
      ...(node.serviceRanges ?? []).map(range => rule(daddr, words.range(range), `goto ${names.UNALLOCATED}`)),
    ),
    ...unallocated(node),
  ]
}

/**
 * A cluster IP that no Service has never answers, and packets to it are not to leave the node for some router. Real hosts may
 * have addresses in the same range, though, and may be endpoints of a Service: packets after DNAT pass.
 */
function unallocated({ family, serviceRanges = [], reachable = [] }: NodeView): readonly Entry[] {
  if (serviceRanges.length === 0) return []
  const { daddr } = words.FAMILY_WORDS[family]
  const real = reachable.map(part => rule(daddr, words.range(part), 'return'))
  return [chain(names.UNALLOCATED, 'ct status dnat return', ...real, 'drop')]
}

const BY_PORT = words.concat(words.L4PROTO, words.ANY_DPORT)

function byAddress({ family }: NodeView): string {
  return words.concat(words.FAMILY_WORDS[family].daddr, words.L4PROTO, words.ANY_DPORT)
}

/**
 * The addresses that answer at node ports: never loopback. That would take route_localnet, with which hosts on the same link
 * could send to 127.0.0.1.
 */
function nodeAddress({ family, nodePortAddresses }: NodeView, local?: string): string {
  const { daddr, loopback } = words.FAMILY_WORDS[family]
  return nodePortAddresses === 'all' ? rule(local, daddr, '!=', loopback) : rule(daddr, `@${maps.NODEPORT_IPS}`)
}

function nodePortIPs({ family, nodePortAddresses }: NodeView): readonly Entry[] {
  if (nodePortAddresses === 'all') return []
  const answering = nodePortAddresses.filter(ip => !isLoopback(ip))
  return [
    maps.nodePortIPs(family),
    ...answering.map(ip => ({ unit: names.elementUnit(maps.NODEPORT_IPS, ip), text: '' })),
  ]
}
