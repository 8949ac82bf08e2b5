import * as words from '#dialects/iptables.ts'
import { rule } from '#dialects/words.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Entry, Unit } from '#proxy/modes/mode.ts'
import { type BaseJump, jumpUnit } from '#proxy/modes/netfilter/jumps.ts'
import { chainUnit, lineUnit, TABLES } from '#proxy/modes/netfilter/units.ts'
import {
  CANARY,
  EXTERNAL_SERVICES,
  FIREWALL,
  FORWARD,
  MARK_MASQ,
  NODEPORTS,
  POSTROUTING,
  PROXY_FIREWALL,
  SERVICES,
} from './names.ts'

// A node without a single Service → the chains every packet passes, and the jumps that lead into them.

const NEW = '-m conntrack --ctstate NEW'

/** In kube-proxy's order: each is inserted in front, so the chain lists them from the last to the first. */
const JUMPS: readonly BaseJump[] = [
  ['filter', 'INPUT', EXTERNAL_SERVICES, 'kubernetes externally-visible service portals', NEW],
  ['filter', 'FORWARD', EXTERNAL_SERVICES, 'kubernetes externally-visible service portals', NEW],
  ['filter', 'INPUT', NODEPORTS, 'kubernetes health check service ports'],
  ['filter', 'FORWARD', SERVICES, 'kubernetes service portals', NEW],
  ['filter', 'OUTPUT', SERVICES, 'kubernetes service portals', NEW],
  ['filter', 'FORWARD', FORWARD, 'kubernetes forwarding rules'],
  ['filter', 'INPUT', PROXY_FIREWALL, 'kubernetes load balancer firewall', NEW],
  ['filter', 'OUTPUT', PROXY_FIREWALL, 'kubernetes load balancer firewall', NEW],
  ['filter', 'FORWARD', PROXY_FIREWALL, 'kubernetes load balancer firewall', NEW],
  ['nat', 'OUTPUT', SERVICES, 'kubernetes service portals'],
  ['nat', 'PREROUTING', SERVICES, 'kubernetes service portals'],
  ['nat', 'POSTROUTING', POSTROUTING, 'kubernetes postrouting rules'],
  ['filter', 'INPUT', FIREWALL, false],
  ['filter', 'OUTPUT', FIREWALL, false],
]

export function base(node: NodeView): readonly Entry[] {
  return [
    ...CANARIES,
    { unit: chainUnit('nat', MARK_MASQ), text: rule('-A', MARK_MASQ, words.setMark(node.mark)) },
    { unit: chainUnit('nat', POSTROUTING), text: postrouting(node) },
    { unit: chainUnit('nat', NODEPORTS), text: '', shared: true },
    { unit: chainUnit('nat', SERVICES), text: nodePortJumps(node), shared: true },
    { unit: chainUnit('filter', FORWARD), text: forward(node) },
    ...[SERVICES, EXTERNAL_SERVICES, NODEPORTS, PROXY_FIREWALL].map(
      (chain): Entry => ({ unit: chainUnit('filter', chain), text: '', shared: true }),
    ),
    { unit: chainUnit('filter', FIREWALL), text: '' },
    ...martians(node),
    ...JUMP_UNITS.map((unit): Entry => ({ unit, text: '' })),
  ]
}

const CANARIES: readonly Entry[] = TABLES.map(table => ({
  unit: chainUnit(table, CANARY),
  text: '',
}))

/** In the order in which they are inserted in front: the last of a chain stands first. */
export const JUMP_UNITS: readonly Unit[] = JUMPS.map(jumpUnit)

/** Marked packets leave with the node's address; the mark is cleared so that a second pass cannot masquerade again. */
function postrouting({ mark }: NodeView): string {
  return [
    rule('-A', POSTROUTING, words.notMarked(mark), '-j RETURN'),
    rule('-A', POSTROUTING, words.clearMark(mark)),
    rule('-A', POSTROUTING, words.comment('kubernetes service traffic requiring SNAT'), '-j MASQUERADE --random-fully'),
  ].join('\n')
}

/**
 * An INVALID packet would reach the client with the pod's own address, because conntrack does not rewrite it, and reset
 * the connection.
 */
function forward({ mark, dropInvalid }: NodeView): string {
  return [
    dropInvalid === true && rule('-A', FORWARD, '-m conntrack --ctstate INVALID -j DROP'),
    rule('-A', FORWARD, words.comment('kubernetes forwarding rules'), words.marked(mark), '-j ACCEPT'),
    rule(
      '-A',
      FORWARD,
      words.comment('kubernetes forwarding conntrack rule'),
      '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
    ),
  ]
    .filter(line => line !== false)
    .join('\n')
}

/** Last in KUBE-SERVICES: a packet to an address that has a rule of its own must not reach the node ports. */
function nodePortJumps({ family, nodePortAddresses, localhostNodePorts }: NodeView): string {
  const note = words.comment('kubernetes service nodeports; NOTE: this must be the last rule in this chain')
  if (nodePortAddresses !== 'all') {
    return nodePortAddresses.map(ip => rule('-A', SERVICES, words.to(ip), note, words.jump(NODEPORTS))).join('\n')
  }
  const notLoopback = family === 'ipv6' ? '! -d ::1/128' : !localhostNodePorts && '! -d 127.0.0.0/8'
  return rule('-A', SERVICES, notLoopback, note, '-m addrtype --dst-type LOCAL', words.jump(NODEPORTS))
}

/**
 * Node ports on 127.0.0.1 need route_localnet, which without this rule lets hosts on the same link reach whatever is
 * bound to localhost.
 */
export const MARTIANS: Unit = lineUnit(
  'filter',
  rule(
    '-A',
    FIREWALL,
    '! -s 127.0.0.0/8 -d 127.0.0.0/8',
    words.comment('block incoming localnet connections'),
    '-m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP',
  ),
)

function martians({ family, localhostNodePorts }: NodeView): readonly Entry[] {
  return family === 'ipv4' && localhostNodePorts ? [{ unit: MARTIANS, text: '' }] : []
}
