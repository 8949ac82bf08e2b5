import { type ChainTexts, canonicalChains } from 'iptables-parser'
import { saveAll, type Tools } from '#dialects/iptables.ts'
import type { Ruleset, Unit } from '#proxy/modes/mode.ts'
import { must } from '#system/must.ts'
import type { Kernel } from '#system/ports.ts'
import { type ChainUnit, chainUnit, lineUnit, type Table } from './units.ts'

// iptables-save → the units of a mode, in the same text that the mode would write.

/** Which chains and lines of the kernel's tables are a mode's. */
export interface ModeChains {
  readonly tables: readonly Table[]
  /** A chain that is wholly ours. */
  isOurs(table: Table, chain: string): boolean
  /** A chain in which lines of ours stand beside those of other programs. */
  isShared(table: Table, chain: string): boolean
  /** A line of ours in a shared chain. */
  isOurLine(table: Table, line: string): boolean
  /** A shared chain that we make where it is missing: a unit without a text. */
  readonly made?: Pick<ChainUnit, 'table' | 'chain'>
  /** Set where every unit of the mode stands in a chain: the names of shared ones. */
  readonly shared?: readonly string[]
  /** For a mode that writes chains in words of its own: the words for what this kernel has. */
  wording?(kernel: Kernel): Promise<Wording>
}

/** The text of a chain, as the kernel has it → as we would write it. */
export type Wording = (text: string) => string

const AS_IT_IS: Wording = text => text

/** The chains that every table has from the start. */
export const BUILT_IN: readonly string[] = ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING']

export function isBuiltIn(chain: string): boolean {
  return BUILT_IN.includes(chain)
}

export async function readUnits(kernel: Kernel, tools: Tools, chains: ModeChains): Promise<Ruleset> {
  const { stdout } = await must(kernel, saveAll(tools))
  return unitsIn(stdout, chains, await chains.wording?.(kernel))
}

export function unitsIn(save: string, chains: ModeChains, wording: Wording = AS_IT_IS): Ruleset {
  return unitsOf(canonicalChains(save), chains, wording)
}

function unitsOf(texts: ChainTexts, { tables, made, ...chains }: ModeChains, wording: Wording): Ruleset {
  const found = new Map<Unit, string>()
  for (const table of tables) {
    for (const [chain, text] of texts.get(table) ?? []) {
      if (chains.isOurs(table, chain)) found.set(chainUnit(table, chain), wording(text))
      else if (table === made?.table && chain === made.chain) found.set(chainUnit(table, chain), '')
      if (text === '' || chains.isOurs(table, chain) || !chains.isShared(table, chain)) continue
      for (const line of text.split('\n')) if (chains.isOurLine(table, line)) addLine(table, line, found)
    }
  }
  return found
}

/** The same line may stand in a chain twice. */
function addLine(table: Table, line: string, found: Map<Unit, string>): void {
  let copy = 1
  while (found.has(lineUnit(table, line, copy))) copy++
  found.set(lineUnit(table, line, copy), '')
}
