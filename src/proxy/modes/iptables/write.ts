import { block, restoreInto, type Tools } from '#dialects/iptables.ts'
import { filterSteps } from '#proxy/modes/filter-steps.ts'
import type { Plan, Unit } from '#proxy/modes/mode.ts'
import type { Command } from '#system/ports.ts'
import { FIREWALL, MARK_MASQ, NODEPORTS, POSTROUTING, SERVICES, type Table, unitParts } from './names.ts'

// A plan → one restore, in blocks that can each be applied alone: targets before the chains that jump to them, and a
// chain is deleted only after the last jump to it.

/**
 * iptables-nft's time for one COMMIT grows with the square of its chains, and each COMMIT costs by the rules already
 * there: best is near the square root of all units. (11,000 chains: blocks of 100 1.0 s, 300 1.3 s; 110,000: blocks of
 * 100 14 s, 300 9.5 s, 1,000 25 s.) Legacy writes the whole table at each COMMIT, so there is one. A change of everyday
 * size is one COMMIT too.
 */
function blockSize({ add, change, remove }: Plan, { variant }: Tools): number {
  if (variant === 'legacy') return Number.POSITIVE_INFINITY
  return Math.max(SMALLEST_BLOCK, Math.round(Math.sqrt(add.size + change.size + remove.size)))
}

const SMALLEST_BLOCK = 100

export function write(plan: Plan, tools: Tools): readonly Command[] {
  const size = blockSize(plan, tools)
  const wanted = new Map([...plan.add, ...plan.change])
  const { beforeNat, afterNat } = filterSteps(plan)
  const writes = [
    ...blocks('mangle', written('mangle', wanted), size),
    ...blocks('filter', written('filter', beforeNat), size),
    ...blocks('nat', written('nat', wanted), size),
    ...blocks('filter', written('filter', afterNat), size),
  ]
  const removals = REMOVED.flatMap(table => blocks(table, removed(table, plan.remove), size))
  if (writes.length + removals.length === 0) return []
  return [restoreInto(tools, [...writes, ...removals].join(''))]
}

/** Where everything goes, clients are refused until no rule leads them anywhere. */
const REMOVED: readonly Table[] = ['nat', 'filter', 'mangle']

/** A part of a document that must stay within one block. */
interface Piece {
  /** The chain that the block creates or empties. */
  readonly chain?: string
  readonly text: string
}

/** Chains in an order in which each jumps only to earlier ones, then the lines that jump into them. */
function written(table: Table, wanted: ReadonlyMap<Unit, string>): readonly Piece[] {
  const { chains, lines } = sorted(table, wanted.keys())
  const replace = chains.map(chain => ({ chain, text: wanted.get(`${table} ${chain}`)! }))
  return [...replace, ...lines.map(line => ({ text: line.startsWith(FIREWALL) ? `-A ${line}` : `-I ${line}` }))]
}

/** The reverse order; all chains are emptied first, because two that go may still jump to each other. */
function removed(table: Table, units: ReadonlySet<Unit>): readonly Piece[] {
  const { chains, lines } = sorted(table, units)
  const gone = chains.filter(chain => chain !== FIREWALL).toReversed()
  return [
    ...lines.filter(line => !line.includes(FIREWALL)).map(line => ({ text: `-D ${line}` })),
    ...gone.map(chain => ({ text: emptied(chain) })),
    ...gone.map(chain => ({ text: `-X ${chain}` })),
  ]
}

/** KUBE-FIREWALL belongs to kubelet as well: jumps to it and rules in it are added, never removed. */
function sorted(
  table: Table,
  units: Iterable<Unit>,
): { readonly chains: readonly string[]; readonly lines: readonly string[] } {
  const chains: string[] = []
  const lines: string[] = []
  for (const unit of units) {
    const parts = unitParts(unit)
    if (parts.table !== table) continue
    if ('line' in parts) lines.push(parts.line)
    else chains.push(parts.chain)
  }
  const ranked = chains.map(chain => [rank(chain), chain] as const)
  ranked.sort((a, b) => a[0] - b[0] || (a[1] < b[1] ? -1 : 1))
  return { chains: ranked.map(([, chain]) => chain), lines }
}

/** By the first letters of their names; a chain that is not listed here jumps to any of these. */
const RANKS: readonly (readonly [start: string, rank: number])[] = [
  ['KUBE-SEP-', 1],
  ['KUBE-SVC-', 2],
  ['KUBE-SVL-', 2],
  ['KUBE-EXT-', 3],
  ['KUBE-XLB-', 3],
  ['KUBE-FW-', 4],
  ['KUBE-SVCS3-', 5],
  ['KUBE-SVCS2-', 6],
  ['KUBE-SVCS1-', 7],
  [MARK_MASQ, 0],
  [POSTROUTING, 0],
  [NODEPORTS, 8],
  [SERVICES, 9],
]

function rank(chain: string): number {
  for (const [start, rank] of RANKS) if (chain.startsWith(start)) return rank
  return RANKS.length
}

function blocks(table: Table, pieces: readonly Piece[], size: number): readonly string[] {
  const found: string[] = []
  for (let i = 0; i < pieces.length; i += size) found.push(block(table, linesOf(pieces.slice(i, i + size))))
  return found
}

/** iptables-nft takes 10% longer for a block in which chain and rule lines alternate. */
function linesOf(pieces: readonly Piece[]): readonly string[] {
  const chains = pieces.flatMap(({ chain }) => (chain === undefined ? [] : [emptied(chain)]))
  return [...chains, ...pieces.map(({ text }) => text).filter(text => text !== '')]
}

function emptied(chain: string): string {
  return `:${chain} - [0:0]`
}
