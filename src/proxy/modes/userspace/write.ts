import { block, restoreInto, type Tools } from '#dialects/iptables.ts'
import { closeListeners, type Listener, openListeners, withProxyPorts } from '#dialects/relay.ts'
import { filterSteps } from '#proxy/modes/filter-steps.ts'
import type { Plan, Unit } from '#proxy/modes/mode.ts'
import type { Command } from '#system/ports.ts'
import { standsLast } from './base.ts'
import { type UserspaceTable, unitParts } from './names.ts'

// A plan → listeners opened or given other endpoints, then one restore that redirects clients to them, then listeners
// closed that no rule redirects to any more. A change of endpoints is the first of these alone.

export function write(plan: Plan, tools: Tools): readonly Command[] {
  const { add, change, remove } = plan
  const { family } = tools
  const wanted = new Map([...add, ...change])
  const opened = [...wanted].flatMap(([unit, pool]): readonly Listener[] => {
    const parts = unitParts(unit)
    return 'listener' in parts ? [{ name: parts.listener, pool }] : []
  })
  const closed = [...remove].map(unitParts).flatMap(parts => ('listener' in parts ? [parts.listener] : []))
  return [
    ...(opened.length > 0 ? [openListeners(family, opened)] : []),
    ...restore(plan, tools),
    ...(closed.length > 0 ? [closeListeners(family, closed)] : []),
  ]
}

function restore(plan: Plan, tools: Tools): readonly Command[] {
  const { beforeNat, afterNat } = filterSteps(plan)
  const written = [
    ...blocks('filter', writtenLines('filter', beforeNat), tools),
    ...blocks('nat', writtenLines('nat', new Map([...plan.add, ...plan.change])), tools),
    ...blocks('filter', writtenLines('filter', afterNat), tools),
  ]
  const removed = (['nat', 'filter'] as const).flatMap(table => blocks(table, removedLines(table, plan.remove), tools))
  if (written.length + removed.length === 0) return []
  const input = [...written, ...removed].join('')
  const command: Command = restoreInto(tools, input)
  return [input.includes('{') ? withProxyPorts(tools.family, command) : command]
}

/** Branches before the chains that jump to them, chains before the lines that jump into them. */
function writtenLines(table: UserspaceTable, wanted: ReadonlyMap<Unit, string>): readonly string[] {
  const { chains, lines } = partsOf(table, wanted.keys())
  const replaced = chains.map(chain => {
    const text = wanted.get(`${table} ${chain}`)!
    return text === '' ? `:${chain} - [0:0]` : `:${chain} - [0:0]\n${text}`
  })
  return [...replaced, ...lines.map(line => (standsLast(line) ? `-A ${line}` : `-I ${line}`))]
}

/** The reverse order; all chains are emptied first, because two that go may still jump to each other. */
function removedLines(table: UserspaceTable, units: ReadonlySet<Unit>): readonly string[] {
  const { chains, lines } = partsOf(table, units)
  const gone = chains.toReversed()
  return [
    ...lines.map(line => `-D ${line}`),
    ...gone.map(chain => `:${chain} - [0:0]`),
    ...gone.map(chain => `-X ${chain}`),
  ]
}

function partsOf(
  table: UserspaceTable,
  units: Iterable<Unit>,
): { readonly chains: string[]; readonly lines: string[] } {
  const chains: string[] = []
  const lines: string[] = []
  for (const unit of units) {
    const parts = unitParts(unit)
    if ('listener' in parts || parts.table !== table) continue
    if ('line' in parts) lines.push(parts.line)
    else chains.push(parts.chain)
  }
  return { chains: chains.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1)), lines }
}

/** The deepest branch first, the chains that every packet passes last. */
function rank(chain: string): number {
  const depth = /^KUBE-P[CH](\d)-/.exec(chain)?.[1]
  return depth === undefined ? 0 : -Number(depth)
}

/**
 * iptables-nft's time for one COMMIT grows with the square of its chains; legacy writes the whole table at each COMMIT.
 */
function blocks(table: UserspaceTable, pieces: readonly string[], { variant }: Tools): readonly string[] {
  const size = variant === 'legacy' ? Number.POSITIVE_INFINITY : BLOCK_CHAINS
  const found: string[] = []
  for (let i = 0; i < pieces.length; i += size) found.push(block(table, pieces.slice(i, i + size)))
  return found
}

const BLOCK_CHAINS = 300
