import { block, restoreInto, type Tools } from '#dialects/iptables.ts'
import type { Plan, Unit } from '#proxy/modes/mode.ts'
import type { Command } from '#system/ports.ts'
import { FIREWALL, MARK_MASQ, NODEPORTS, POSTROUTING, SERVICES, type Table, unitParts } from './names.ts'

// A plan → one restore, in blocks that can each stand alone: targets before the chains that jump to them, and nothing
// is taken away before the last jump to it is gone.

/**
 * iptables-nft's time for one COMMIT grows with the square of its chains, and each COMMIT costs by what is there already:
 * best is near the root of all. (11,000 chains: blocks of 100 1.0 s, 300 1.3 s; 110,000: blocks of 100 14 s, 300 9.5 s,
 * 1,000 25 s.) Legacy writes the whole table at each COMMIT, so there is one. A change of everyday size is one COMMIT too.
 */
function blockSize({ add, change, remove }: Plan, { variant }: Tools): number {
  if (variant === 'legacy') return Number.POSITIVE_INFINITY
  return Math.max(SMALLEST_BLOCK, Math.round(Math.sqrt(add.size + change.size + remove.size)))
}

const SMALLEST_BLOCK = 100

/** Filter before nat, so that a Service is refused before it stops being served. */
const TABLES: readonly Table[] = ['mangle', 'filter', 'nat']

export function write(plan: Plan, tools: Tools): readonly Command[] {
  const size = blockSize(plan, tools)
  const wanted = new Map([...plan.add, ...plan.change])
  const writes = TABLES.flatMap(table => blocks(table, written(table, wanted), size))
  const removals = TABLES.toReversed().flatMap(table => blocks(table, removed(table, plan.remove), size))
  if (writes.length + removals.length === 0) return []
  return [restoreInto(tools, [...writes, ...removals].join(''))]
}

/** What stands or falls with a block. */
interface Piece {
  /** The chain it makes anew, or empties. */
  readonly chain?: string
  readonly text: string
}

/** Chains in the order in which each jumps only to those before it, then the lines that lead into them. */
function written(table: Table, wanted: ReadonlyMap<Unit, string>): readonly Piece[] {
  const { chains, lines } = sorted(table, wanted.keys())
  const replace = chains.map(chain => ({ chain, text: wanted.get(`${table} ${chain}`)! }))
  return [...replace, ...lines.map(line => ({ text: line.startsWith(FIREWALL) ? `-A ${line}` : `-I ${line}` }))]
}

/** The other way round; a chain is emptied first, because two that are going may still jump to each other. */
function removed(table: Table, units: ReadonlySet<Unit>): readonly Piece[] {
  const { chains, lines } = sorted(table, units)
  const gone = chains.filter(chain => chain !== FIREWALL).toReversed()
  return [
    ...lines.filter(line => !line.includes(FIREWALL)).map(line => ({ text: `-D ${line}` })),
    ...gone.map(chain => ({ text: emptied(chain) })),
    ...gone.map(chain => ({ text: `-X ${chain}` })),
  ]
}

/** KUBE-FIREWALL is kubelet's as much as ours: what leads there and what stands in it is added, never taken away. */
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

/** By the first letters of their names; what is not named here leads into all of these. */
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

/** iptables-nft takes a tenth longer over a block in which chains and rules take turns. */
function linesOf(pieces: readonly Piece[]): readonly string[] {
  const chains = pieces.flatMap(({ chain }) => (chain === undefined ? [] : [emptied(chain)]))
  return [...chains, ...pieces.map(({ text }) => text).filter(text => text !== '')]
}

function emptied(chain: string): string {
  return `:${chain} - [0:0]`
}
