import { block, type Tools } from '#dialects/iptables.ts'
import type { Plan, Unit } from '#proxy/modes/mode.ts'
import { JUMP_UNITS } from './base.ts'
import { type IpvsTable, TABLES, unitParts } from './names.ts'

// The chains and jumps of a plan → `*table … COMMIT` blocks. Ours are few, however many Services there are; what another
// mode has left may be very many.

/** Empty where no rule changes. */
export function ruleBlocks({ add, change, remove }: Plan, { variant }: Tools): string {
  const wanted = new Map([...add, ...change].filter(([unit]) => isRules(unit)))
  const gone = [...remove].filter(isRules)
  // iptables-nft's time for one COMMIT grows with the square of its chains; legacy writes the whole table at each.
  const size = variant === 'legacy' ? Number.POSITIVE_INFINITY : Math.max(100, Math.round(Math.sqrt(gone.length)))
  return TABLES.flatMap(table => [
    ...blocks(table, written(table, wanted), Number.POSITIVE_INFINITY),
    ...blocks(table, removed(table, gone), size),
  ]).join('')
}

function blocks(table: IpvsTable, lines: readonly string[], size: number): readonly string[] {
  const found: string[] = []
  for (let i = 0; i < lines.length; i += size) found.push(block(table, lines.slice(i, i + size)))
  return found
}

function isRules(unit: Unit): boolean {
  return /^(?:mangle|filter|nat) /.test(unit)
}

/** All chains stand before the first rule that may lead to one of them. */
function written(table: IpvsTable, wanted: ReadonlyMap<Unit, string>): readonly string[] {
  const { chains, lines } = sorted(table, wanted.keys())
  const texts = chains.map(chain => wanted.get(`${table} ${chain}`)!).filter(text => text !== '')
  return [...chains.map(empty), ...texts, ...lines.map(line => `-I ${line}`)]
}

function removed(table: IpvsTable, units: readonly Unit[]): readonly string[] {
  const { chains, lines } = sorted(table, units)
  return [...lines.map(line => `-D ${line}`), ...chains.map(empty), ...chains.map(chain => `-X ${chain}`)]
}

function empty(chain: string): string {
  return `:${chain} - [0:0]`
}

/** Jumps in the order in which they are put in front. */
function sorted(table: IpvsTable, units: Iterable<Unit>) {
  const chains: string[] = []
  const lines: { readonly line: string; readonly rank: number }[] = []
  for (const unit of units) {
    const parts = unitParts(unit)
    if (parts.kind === 'chain' && parts.table === table) chains.push(parts.chain)
    if (parts.kind === 'line' && parts.table === table) lines.push({ line: parts.line, rank: JUMP_UNITS.indexOf(unit) })
  }
  return { chains: chains.sort(), lines: lines.sort((a, b) => a.rank - b.rank).map(({ line }) => line) }
}
