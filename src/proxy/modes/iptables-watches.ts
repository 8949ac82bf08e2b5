import { chainAsSave, listChain, type Tools } from '#dialects/iptables.ts'
import { FAMILY_WORDS } from '#dialects/nft.ts'
import { CommandFailed } from '#system/must.ts'
import type { Command, Kernel, Touch } from '#system/ports.ts'
import type { Part, Parts, Ruleset, Unit, Watches } from './mode.ts'

// What commits of other programs mean for a mode that writes chains: each chain is a part, read and written alone. The kernel
// does not report changes of iptables-legacy's tables.

/** The chains of a mode, by table and name. */
export interface ModeChains {
  readonly tables: readonly string[]
  /** A chain that is wholly ours. */
  isOurs(table: string, chain: string): boolean
  /** A chain in which lines of ours stand beside those of other programs. */
  isShared(table: string, chain: string): boolean
  /** A shared chain that we make where it is missing. */
  readonly made?: Part
  /** Units of ours in this text of iptables-save. */
  unitsIn(kernel: Kernel, save: string): Ruleset | Promise<Ruleset>
}

/** The kernel keeps the first 15 characters of a program's name. */
const NAME_KEPT = 15

export function iptablesWatches(tools: Tools, chains: ModeChains): Watches | undefined {
  if (tools.variant === 'legacy') return undefined
  const family = FAMILY_WORDS[tools.family].ip
  return {
    author: ({ argv }: Command) => (argv[0] === tools.restore ? tools.restore.slice(0, NAME_KEPT) : undefined),
    concerns: touch => {
      const isElsewhere = touch.family !== family || !chains.tables.includes(touch.table)
      return isElsewhere ? 'nothing' : concernOf(touch, chains)
    },
    parts: partsOf(tools, chains),
  }
}

function concernOf({ table, verb, kind, name }: Touch, chains: ModeChains): Part | 'nothing' {
  // Of a table that goes, each of its chains is reported as well.
  if (kind !== 'chain' && kind !== 'rule') return 'nothing'
  const part = partNamed(table, name)
  if (chains.isOurs(table, name)) return part
  if (!chains.isShared(table, name)) return 'nothing'
  // iptables-nft makes a built-in chain where it lists one: that changes no line.
  return kind === 'chain' && verb === 'add' && part !== chains.made ? 'nothing' : part
}

function partsOf(tools: Tools, chains: ModeChains): Parts {
  return {
    of: unit => partOf(unit, chains.tables),
    isShared: part => {
      const [table, chain] = part.split(' ') as [string, string]
      return !chains.isOurs(table, chain)
    },
    read: async (kernel, parts) => {
      const texts = await Promise.all([...parts].map(part => readChain(kernel, tools, part)))
      return chains.unitsIn(kernel, texts.join(''))
    },
  }
}

/** A chain that is not there has no text: the program ends with 1, in other words from version to version. */
async function readChain(kernel: Kernel, tools: Tools, part: Part): Promise<string> {
  const [table, chain] = part.split(' ') as [string, string]
  const command = listChain(tools, table, chain)
  const outcome = await kernel.run(command)
  if (outcome.code === 1) return ''
  if (outcome.code !== 0) throw new CommandFailed(command, outcome)
  return chainAsSave(table, chain, outcome.stdout)
}

function partNamed(table: string, chain: string): Part {
  return `${table} ${chain}`
}

/** A chain's unit is named as its part, a line's begins with its chain: `nat -A PREROUTING …`. */
function partOf(unit: Unit, tables: readonly string[]): Part | undefined {
  const space = unit.indexOf(' ')
  const table = unit.slice(0, space)
  if (!tables.includes(table)) return undefined
  if (!unit.startsWith('-A ', space + 1)) return unit
  const start = space + 4
  return partNamed(table, unit.slice(start, unit.indexOf(' ', start)))
}
