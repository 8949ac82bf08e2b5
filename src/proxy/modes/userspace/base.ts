import * as words from '#dialects/iptables.ts'
import { rule } from '#dialects/words.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Entry } from '#proxy/modes/mode.ts'
import {
  CHAINS,
  chainUnit,
  EXTERNAL_CLOSED,
  lineUnit,
  NODEPORTS,
  NON_LOCAL,
  PORTALS,
  PORTALS_CLOSED,
  TABLES,
  type UserspaceTable,
} from './names.ts'

// A node without a single Service → the chains every packet passes, and the jumps that lead into them.

type Jump = readonly [table: UserspaceTable, chain: string, target: string, match: string | false, why: string]

const NEW = '-m conntrack --ctstate NEW'
const CLUSTER_IPS = 'handle ClusterIPs; NOTE: this must be before the NodePort rules'
const NODE_PORTS = 'handle service NodePorts; NOTE: this must be the last rule in the chain'
const CLOSED = 'kubernetes service portals that are closed'
const CLOSED_OUTSIDE = 'kubernetes externally-visible service portals that are closed'

const JUMPS: readonly Jump[] = [
  ['nat', 'PREROUTING', PORTALS.container, false, CLUSTER_IPS],
  ['nat', 'OUTPUT', PORTALS.host, false, CLUSTER_IPS],
  ['filter', 'INPUT', NON_LOCAL, false, 'Ensure that non-local NodePort traffic can flow'],
  ['filter', 'FORWARD', PORTALS_CLOSED, NEW, CLOSED],
  ['filter', 'OUTPUT', PORTALS_CLOSED, NEW, CLOSED],
  ['filter', 'INPUT', EXTERNAL_CLOSED, NEW, CLOSED_OUTSIDE],
  ['filter', 'FORWARD', EXTERNAL_CLOSED, NEW, CLOSED_OUTSIDE],
]

export function base(node: NodeView): readonly Entry[] {
  const chains = TABLES.flatMap(table =>
    CHAINS[table].map((chain): Entry => ({ unit: chainUnit(table, chain), text: '', shared: true })),
  )
  return [...chains, ...JUMPS.map(jump), ...nodePortJumps(node)]
}

function jump([table, chain, target, match, why]: Jump): Entry {
  return { unit: lineUnit(table, rule('-A', chain, match, words.comment(why), words.jump(target))), text: '' }
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

/** True for a line of ours that belongs behind the rules of other programs. */
export function standsLast(line: string): boolean {
  return line.endsWith(words.jump(NODEPORTS.container)) || line.endsWith(words.jump(NODEPORTS.host))
}
