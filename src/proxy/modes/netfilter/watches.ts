import { chainAsSave, listChain, type Tools } from '#dialects/iptables.ts'
import { FAMILY_WORDS } from '#dialects/nft.ts'
import type { AboutUnits, Part, Parts, Prints, Watches } from '#proxy/modes/mode.ts'
import { CommandFailed } from '#system/must.ts'
import type { Command, Kernel, RulesetDump, Touch } from '#system/ports.ts'
import { type ModeChains, unitsIn } from './chains.ts'
import { chainOf, chainPart, chainUnit, partOf, type Table, tableOf, wholeChain } from './units.ts'

// What commits of other programs mean for a mode that writes chains: each chain is a part, read and written alone. The kernel
// does not report changes of iptables-legacy's tables.

/** The kernel keeps the first 15 characters of a program's name. */
const NAME_KEPT = 15

export function chainWatches(tools: Tools, chains: ModeChains): Watches | undefined {
  if (tools.variant === 'legacy') return undefined
  const family = FAMILY_WORDS[tools.family].ip
  return {
    author: ({ argv }: Command) => (argv[0] === tools.restore ? tools.restore.slice(0, NAME_KEPT) : undefined),
    concerns: touch => {
      const table = chains.tables.find(one => one === touch.table)
      return touch.family !== family || table === undefined ? 'nothing' : concernOf(table, touch, chains)
    },
    parts: partsOf(tools, chains),
  }
}

function concernOf(table: Table, { verb, kind, name }: Touch, chains: ModeChains): Part | 'nothing' {
  // Of a table that goes, each of its chains is reported as well.
  if (kind !== 'chain' && kind !== 'rule') return 'nothing'
  const part = chainPart(table, name)
  if (chains.isOurs(table, name)) return part
  if (!chains.isShared(table, name)) return 'nothing'
  const isMade = table === chains.made?.table && name === chains.made.chain
  // iptables-nft makes a built-in chain where it lists one: that changes no line.
  return kind === 'chain' && verb === 'add' && !isMade ? 'nothing' : part
}

function partsOf(tools: Tools, chains: ModeChains): Parts {
  return {
    of: unit => {
      const table = tableOf(unit)
      return table !== undefined && chains.tables.includes(table) ? partOf(unit) : undefined
    },
    unitOf: part => {
      const { table, chain } = chainOf(part)
      return chains.isOurs(table, chain) ? wholeChain(part) : undefined
    },
    read: async (kernel, parts) => {
      const texts = await Promise.all([...parts].map(part => readChain(kernel, tools, part)))
      return unitsIn(texts.join(''), chains, await chains.wording?.(kernel))
    },
    ...(chains.shared && { prints: printsOf(tools, chains, chains.shared) }),
  }
}

function printsOf(tools: Tools, { tables, isOurs, isShared }: ModeChains, shared: readonly string[]): Prints {
  const family = FAMILY_WORDS[tools.family].ip
  return {
    shared: tables.flatMap(table => shared.map(chain => chainPart(table, chain))),
    standing: function* (dump: RulesetDump) {
      const all = dump.chains(family)
      for (const table of tables) {
        for (const chain of all.get(table) ?? []) {
          if (isOurs(table, chain) || isShared(table, chain)) yield chainPart(table, chain)
        }
      }
    },
    of: (dump, part) => dump.fingerprint({ family, ...chainOf(part) }),
  }
}

/** Each takes a process; where more chains lead to ours, one that prints everything is quicker. */
const LEADING_AT_MOST = 64

/** Of chains that are not ours, those that lead to one of these, as iptables-save prints them; undefined where they are many. */
export async function foreignChains(
  { kernel, tools, dump, units }: AboutUnits & { readonly kernel: Kernel; readonly tools: Tools },
  { tables, isOurs }: Pick<ModeChains, 'tables' | 'isOurs'>,
): Promise<string | undefined> {
  const family = FAMILY_WORDS[tools.family].ip
  const all = dump.chains(family)
  const leading = tables.flatMap(table => {
    const foreign = [...(all.get(table) ?? [])].filter(chain => !isOurs(table, chain))
    const isLeading = (chain: string): boolean =>
      dump
        .targets({ family, table, chain })
        .values()
        .some(target => units.has(chainUnit(table, target)))
    return foreign.filter(isLeading).map(chain => chainPart(table, chain))
  })
  if (leading.length > LEADING_AT_MOST) return undefined
  const texts = await Promise.all(leading.map(part => readChain(kernel, tools, part)))
  return texts.join('')
}

/** A chain that is not there has no text: the program ends with 1, in other words from version to version. */
async function readChain(kernel: Kernel, tools: Tools, part: Part): Promise<string> {
  const { table, chain } = chainOf(part)
  const command = listChain(tools, table, chain)
  const outcome = await kernel.run(command)
  if (outcome.code === 1) return ''
  if (outcome.code !== 0) throw new CommandFailed(command, outcome)
  return chainAsSave(table, chain, outcome.stdout)
}
