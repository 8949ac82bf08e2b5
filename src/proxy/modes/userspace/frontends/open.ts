import * as words from '#dialects/iptables.ts'
import { proxyPort } from '#dialects/relay.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Frontend, PoolName, ServiceTraffic } from '#proxy/desired/traffic.ts'
import { addBranch } from '#proxy/modes/netfilter/branches.ts'
import type { ChainLines } from '#proxy/modes/netfilter/chain-lines.ts'
import {
  branchChain,
  listenerName,
  listenerNote,
  NODEPORTS,
  NON_LOCAL,
  PORTALS,
  type Side,
} from '#proxy/modes/userspace/names.ts'
import type { Address } from '#values/address.ts'
import { answersAt, ownAddress } from './own-address.ts'
import { type Redirect, redirectsOf } from './redirects.ts'

// The frontends of a service port → the lines that redirect clients to its listeners.

const TREES = {
  container: { root: PORTALS.container, branch: branchChain.bind(undefined, 'container') },
  host: { root: PORTALS.host, branch: branchChain.bind(undefined, 'host') },
} as const

export interface OpenFrontendParts {
  readonly traffic: ServiceTraffic
  readonly node: NodeView
  /** The one address the relay listens at; absent: all addresses. */
  readonly listenOn: Address | undefined
  readonly lines: ChainLines
}

export function openFrontend(parts: OpenFrontendParts, frontend: Frontend): void {
  const redirects = redirectsOf(parts.traffic, parts.node, frontend)
  for (const side of ['container', 'host'] as const) {
    for (const redirect of redirects[side]) addRedirect(parts, frontend, { side, redirect })
  }
  if (frontend.kind !== 'node-port') return
  for (const pool of new Set(redirects.container.map(({ pool }) => pool))) acceptAtProxyPort(parts, pool)
}

function addRedirect(
  parts: OpenFrontendParts,
  { ip, port }: Frontend,
  { side, redirect }: { readonly side: Side; readonly redirect: Redirect },
): void {
  const { traffic, node, lines } = parts
  const { protocol } = traffic
  const chain =
    ip === undefined ? NODEPORTS[side] : node.dispatch === 'tree' ? addBranch(ip, TREES[side], lines) : PORTALS[side]
  lines.add(
    'nat',
    chain,
    redirect.source !== undefined && `-s ${redirect.source}`,
    ip !== undefined && words.to(ip),
    redirect.iface !== undefined && `-i ${redirect.iface}`,
    words.proto(protocol),
    words.comment(listenerNote(traffic, redirect.pool)),
    words.dport(protocol, port),
    redirect.match,
    redirectTarget(parts, side, redirect.pool),
  )
}

/**
 * REDIRECT sends a packet to the address of the interface it arrived on. The node's own packets would go to 127.0.0.1
 * that way, so they are sent to the node's address, where it is known.
 */
function redirectTarget({ traffic, node, listenOn }: OpenFrontendParts, side: Side, pool: PoolName): string {
  const port = proxyPort(listenerName(traffic, pool))
  const at = answersAt(traffic, node, listenOn) ?? (side === 'host' ? ownAddress(node) : undefined)
  return at === undefined
    ? `-j REDIRECT --to-ports ${port}`
    : `-j DNAT --to-destination ${at.includes(':') ? `[${at}]` : at}:${port}`
}

/** INPUT comes after nat: the destination port is the proxy port by now. */
function acceptAtProxyPort({ traffic, lines }: OpenFrontendParts, pool: PoolName): void {
  const { protocol } = traffic
  const why = words.comment(listenerNote(traffic, pool))
  const dport = `-m ${protocol} --dport ${proxyPort(listenerName(traffic, pool))}`
  lines.add('filter', NON_LOCAL, words.proto(protocol), why, dport, '-m state --state NEW -j ACCEPT')
}
