import * as words from '#dialects/iptables.ts'
import { rule } from '#dialects/words.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Entry } from '#proxy/modes/mode.ts'
import { type BaseJump, type Jumps, jumpUnit } from '#proxy/modes/netfilter/jumps.ts'
import { chainUnit, lineUnit, TABLES } from '#proxy/modes/netfilter/units.ts'
import { CHAINS, EXTERNAL_CLOSED, NODEPORTS, NON_LOCAL, PORTALS, PORTALS_CLOSED } from './names.ts'

// A node without a single Service → the chains every packet passes, and the jumps that lead into them.

const NEW = '-m conntrack --ctstate NEW'
const CLUSTER_IPS = 'handle ClusterIPs; NOTE: this must be before the NodePort rules'
const NODE_PORTS = 'handle service NodePorts; NOTE: this must be the last rule in the chain'
const CLOSED = 'kubernetes service portals that are closed'
const CLOSED_OUTSIDE = 'kubernetes externally-visible service portals that are closed'

const JUMPS: readonly BaseJump[] = [
  ['nat', 'PREROUTING', PORTALS.container, CLUSTER_IPS],
  ['nat', 'OUTPUT', PORTALS.host, CLUSTER_IPS],
  ['filter', 'INPUT', NON_LOCAL, 'Ensure that non-local NodePort traffic can flow'],
  ['filter', 'FORWARD', PORTALS_CLOSED, CLOSED, NEW],
  ['filter', 'OUTPUT', PORTALS_CLOSED, CLOSED, NEW],
  ['filter', 'INPUT', EXTERNAL_CLOSED, CLOSED_OUTSIDE, NEW],
  ['filter', 'FORWARD', EXTERNAL_CLOSED, CLOSED_OUTSIDE, NEW],
]

export function base(node: NodeView): readonly Entry[] {
  const chains = TABLES.flatMap(table =>
    CHAINS[table].map((chain): Entry => ({ unit: chainUnit(table, chain), text: '', shared: true })),
  )
  return [...chains, ...JUMPS.map(jump => ({ unit: jumpUnit(jump), text: '' })), ...nodePortJumps(node)]
}

/** Behind everything else: a packet to an address that has a rule of its own must not reach the node ports. */
function nodePortJumps({ nodePortAddresses }: NodeView): readonly Entry[] {
  const matches =
    nodePortAddresses === 'all' ? ['-m addrtype --dst-type LOCAL'] : nodePortAddresses.map(ip => words.to(ip))
  return (['container', 'host'] as const).flatMap(side =>
    matches.map(match => {
      const chain = side === 'container' ? 'PREROUTING' : 'OUTPUT'
      const line = rule('-A', chain, match, words.comment(NODE_PORTS), words.jump(NODEPORTS[side]))
      return { unit: lineUnit('nat', line), text: '' }
    }),
  )
}

export const JUMP_LINES: Jumps = {
  units: JUMPS.map(jumpUnit),
  isLast: line => line.endsWith(words.jump(NODEPORTS.container)) || line.endsWith(words.jump(NODEPORTS.host)),
}
