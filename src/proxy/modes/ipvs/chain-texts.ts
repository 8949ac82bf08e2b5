import * as words from '#dialects/iptables.ts'
import { type RuleWord, rule } from '#dialects/words.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import { localPodsMatch } from '#proxy/modes/netfilter/local-pods.ts'
import type { Table } from '#proxy/modes/netfilter/units.ts'
import * as names from './names.ts'
import { NODE_PORT_PROTOCOLS, nodePortSet, type SetName, setComment, setName } from './sets.ts'

// A node → the chains whose rules look up the sets. Their number does not depend on the number of Services.

export interface ChainText {
  readonly table: Table
  readonly chain: string
  readonly text: string
}

const NEW = '-m conntrack --ctstate NEW'
const FROM_NODE = '-m addrtype --src-type LOCAL'
const NOT_FROM_NODE = '-m addrtype ! --src-type LOCAL'

export function chainTexts(node: NodeView): readonly ChainText[] {
  const is = (set: SetName, directions: string): string =>
    rule(words.comment(setComment(set)), `-m set --match-set ${setName(set, node.family)} ${directions}`)
  const terms: Terms = { node, is, destinationIn: set => is(set, 'dst,dst') }
  return [
    chain('nat', names.MARK_MASQ, [words.setMark(node.mark)]),
    chain('nat', names.POSTROUTING, postrouting(terms)),
    chain('nat', names.LOAD_BALANCER, loadBalancer(terms)),
    chain('nat', names.NODE_PORT, nodePort(terms)),
    chain('nat', names.SERVICES, services(terms)),
    chain('filter', names.FORWARD, forward(terms)),
    chain('filter', names.NODE_PORT, [rule('-p tcp', is('HEALTH-CHECK-NODE-PORT', 'dst'), '-j ACCEPT')]),
    chain('filter', names.SOURCE_RANGES, sourceRanges(terms)),
    chain('filter', names.PROXY_FIREWALL, guarded(terms)),
    chain('filter', names.IPVS_FILTER, incoming(terms)),
    chain('mangle', names.SOURCE_RANGES, sourceRanges(terms)),
    // IPVS takes what the node itself sends before the filter table sees it.
    chain('mangle', names.IPVS_OUT_FILTER, [rule(NEW, terms.destinationIn('DROP'), '-j DROP'), ...guarded(terms)]),
  ]
}

/** The matches from which rules are put together. */
interface Terms {
  readonly node: NodeView
  /** Matches packets that are in the set, with the set's own comment. */
  readonly is: (set: SetName, directions: string) => string
  /** The same, for sets of destination addresses and ports. */
  readonly destinationIn: (set: SetName) => string
}

function chain(table: Table, name: string, bodies: readonly RuleWord[]): ChainText {
  return {
    table,
    chain: name,
    text: bodies
      .filter(Boolean)
      .map(body => rule('-A', name, body))
      .join('\n'),
  }
}

/**
 * Marked packets leave with the node's address. So do those of a pod that reached itself: otherwise its reply goes straight
 * back, and TCP rejects it.
 */
function postrouting({ node, is }: Terms): readonly RuleWord[] {
  return [
    rule(is('LOOP-BACK', 'dst,dst,src'), '-j MASQUERADE'),
    rule(words.notMarked(node.mark), '-j RETURN'),
    words.clearMark(node.mark),
    rule(words.comment('kubernetes service traffic requiring SNAT'), '-j MASQUERADE --random-fully'),
  ]
}

/**
 * Only marks packets: IPVS sends them on. Packets to a Service's address are accepted before the rules for node ports, so that
 * port 30080 of a Service's address is not taken for node port 30080.
 */
function services({ node, destinationIn, is }: Terms): readonly RuleWord[] {
  const mark = words.jump(names.MARK_MASQ)
  const notPod = localPodsMatch(node, 'not')
  return [
    rule(destinationIn('LOAD-BALANCER'), words.jump(names.LOAD_BALANCER)),
    ...masqueradeAtClusterIP(node, destinationIn, is).map(match => rule(match, mark)),
    rule(destinationIn('EXTERNAL-IP'), mark),
    rule(notPod.source, notPod.iface, destinationIn('EXTERNAL-IP-LOCAL'), FROM_NODE, mark),
    ...(['CLUSTER-IP', 'EXTERNAL-IP', 'EXTERNAL-IP-LOCAL', 'LOAD-BALANCER'] as const).map(set =>
      rule(destinationIn(set), '-j ACCEPT'),
    ),
    rule(destinationIn('NODE-PORT-IP'), words.jump(names.NODE_PORT)),
  ]
}

/** The node's own packets have the Service's address as their source; an endpoint on another node could not answer them. */
function masqueradeAtClusterIP(
  node: NodeView,
  destinationIn: Terms['destinationIn'],
  is: Terms['is'],
): readonly string[] {
  if (node.masquerade === 'all') return [destinationIn('CLUSTER-IP')]
  if (node.masquerade === 'never') return [is('CLUSTER-IP', 'src,dst')]
  const { source, iface } = localPodsMatch(node, 'not')
  return [rule(source, iface, destinationIn('CLUSTER-IP'))]
}

function loadBalancer({ node, destinationIn }: Terms): readonly RuleWord[] {
  return [...keepSource(node, destinationIn('LOAD-BALANCER-LOCAL')), words.jump(names.MARK_MASQ)]
}

function nodePort({ node, is, destinationIn }: Terms): readonly RuleWord[] {
  return NODE_PORT_PROTOCOLS.flatMap(protocol => {
    const asked = (policy: 'Cluster' | 'Local'): string => {
      const set = nodePortSet(protocol, policy)
      return protocol === 'sctp' ? destinationIn(set) : is(set, 'dst')
    }
    return [
      ...keepSource(node, asked('Local'), words.proto(protocol)),
      rule(words.proto(protocol), asked('Cluster'), words.jump(names.MARK_MASQ)),
    ]
  })
}

/** Where policy is Local, the source address is kept: that of every pod, and of every other client but the node itself. */
function keepSource(node: NodeView, asked: string, proto?: string): readonly RuleWord[] {
  const { source, iface } = localPodsMatch(node, 'is')
  return [
    node.localPods !== undefined && rule(source, iface, proto, asked, '-j RETURN'),
    rule(proto, asked, NOT_FROM_NODE, '-j RETURN'),
  ]
}

function forward({ node }: Terms): readonly RuleWord[] {
  return [
    rule(words.comment('kubernetes forwarding rules'), words.marked(node.mark), '-j ACCEPT'),
    rule(words.comment('kubernetes forwarding conntrack rule'), '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT'),
  ]
}

function guarded({ destinationIn }: Terms): readonly RuleWord[] {
  return [rule(destinationIn('LOAD-BALANCER-FW'), words.jump(names.SOURCE_RANGES))]
}

function sourceRanges({ is }: Terms): readonly RuleWord[] {
  return [
    rule(is('LOAD-BALANCER-SOURCE-CIDR', 'dst,dst,src'), '-j RETURN'),
    rule(is('LOAD-BALANCER-SOURCE-IP', 'dst,dst,src'), '-j RETURN'),
    '-j DROP',
  ]
}

/** Packets to an address of a Service: dropped, sent on to a virtual server, or rejected where none listens at that port. */
function incoming({ node, destinationIn, is }: Terms): readonly RuleWord[] {
  const { source, iface } = localPodsMatch(node, 'not')
  const health = is('HEALTH-CHECK-NODE-PORT', 'dst')
  return [
    rule(NEW, destinationIn('DROP'), '-j DROP'),
    rule(source, iface, NEW, destinationIn('DROP-OUTSIDE'), NOT_FROM_NODE, '-j DROP'),
    ...(['LOAD-BALANCER', 'CLUSTER-IP', 'EXTERNAL-IP', 'EXTERNAL-IP-LOCAL'] as const).map(set =>
      rule(destinationIn(set), '-j RETURN'),
    ),
    rule(health, '-j RETURN'),
    rule(NEW, is('IPVS-IPS', 'dst'), words.reject(node.family)),
  ]
}
