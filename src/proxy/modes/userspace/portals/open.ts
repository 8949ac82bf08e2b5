import * as words from '#dialects/iptables.ts'
import { proxyPort } from '#dialects/relay.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Frontend, PoolName, ServiceTraffic } from '#proxy/desired/traffic.ts'
import {
  branchChain,
  listenerName,
  listenerNote,
  NODEPORTS,
  NON_LOCAL,
  PORTALS,
  type Side,
} from '#proxy/modes/userspace/names.ts'
import { type Address, type Family, familyOf } from '#values/address.ts'
import { prefixOf } from '#values/cidr.ts'
import type { Lines } from './lines.ts'
import { answersAt, ownAddress } from './own-address.ts'
import { type Way, waysIn } from './ways.ts'

// The frontends of a service port → the lines that lead clients to its listeners.

export interface Portal {
  readonly traffic: ServiceTraffic
  readonly node: NodeView
  /** The one address the relay listens at; absent: at all of them. */
  readonly listenOn: Address | undefined
  readonly lines: Lines
}

export function openPortal(portal: Portal, frontend: Frontend): void {
  const ways = waysIn(portal.traffic, portal.node, frontend)
  for (const side of ['container', 'host'] as const) {
    for (const way of ways[side]) lead(portal, frontend, { side, way })
  }
  if (frontend.kind !== 'node-port') return
  for (const pool of new Set(ways.container.map(way => way.pool))) letIn(portal, pool)
}

function lead(portal: Portal, { ip, port }: Frontend, { side, way }: { readonly side: Side; readonly way: Way }): void {
  const { traffic, node, lines } = portal
  const { protocol } = traffic
  const chain = ip === undefined ? NODEPORTS[side] : node.dispatch === 'tree' ? reach(ip, side, lines) : PORTALS[side]
  lines.add(
    'nat',
    chain,
    way.source !== undefined && `-s ${way.source}`,
    ip !== undefined && words.to(ip),
    way.iface !== undefined && `-i ${way.iface}`,
    words.proto(protocol),
    words.comment(listenerNote(traffic, way.pool)),
    words.dport(protocol, port),
    way.match,
    target(portal, side, way.pool),
  )
}

/**
 * A listener that answers at every address is reached at the one where the packet came in. The node's own packets would go to
 * 127.0.0.1 that way, so they are sent to the node's address, where that is known.
 */
function target({ traffic, node, listenOn }: Portal, side: Side, pool: PoolName): string {
  const port = proxyPort(listenerName(traffic, pool))
  const at = answersAt(traffic, node, listenOn) ?? (side === 'host' ? ownAddress(node) : undefined)
  return at === undefined
    ? `-j REDIRECT --to-ports ${port}`
    : `-j DNAT --to-destination ${at.includes(':') ? `[${at}]` : at}:${port}`
}

/** By then the packet is on its way to the proxy port. */
function letIn({ traffic, lines }: Portal, pool: PoolName): void {
  const { protocol } = traffic
  const why = words.comment(listenerNote(traffic, pool))
  const dport = `-m ${protocol} --dport ${proxyPort(listenerName(traffic, pool))}`
  lines.add('filter', NON_LOCAL, words.proto(protocol), why, dport, '-m state --state NEW -j ACCEPT')
}

/**
 * The chain at the end of the branch an address is on, with the jumps that lead there: a packet looks through a few dozen
 * rules instead of all, and a Service that comes rewrites a few chains instead of one with every Service in it.
 */
function reach(ip: Address, side: Side, lines: Lines): string {
  return BRANCHES[familyOf(ip)].reduce((chain: string, bits, i) => {
    const prefix = prefixOf(ip, bits)
    const branch = branchChain(side, prefix, i + 1)
    lines.add('nat', chain, `-d ${prefix}`, words.jump(branch))
    return branch
  }, PORTALS[side])
}

/** Service ranges are /12 to /24, and /108 to /120: each step divides what is left among sixteen or so. */
const BRANCHES: Readonly<Record<Family, readonly number[]>> = { ipv4: [16, 20, 24], ipv6: [112, 116, 120] }
