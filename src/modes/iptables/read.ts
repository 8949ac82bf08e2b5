import { canonicalChains } from '#iptables-parser'
import type { Tools } from '../../dialects/iptables.ts'
import { must } from '../../system/must.ts'
import type { Kernel } from '../../system/ports.ts'
import type { Ruleset, Unit } from '../mode.ts'
import { chainUnit, FIREWALL, isOurChain, lineUnit, type Table } from './names.ts'

// What iptables-save prints → the units that are ours, in the very text we would write.

const TABLES: readonly Table[] = ['mangle', 'filter', 'nat']

export async function read(kernel: Kernel, tools: Tools): Promise<Ruleset> {
  const { stdout } = await must(kernel, { argv: [tools.save] })
  return ourUnits(stdout)
}

export function ourUnits(save: string): Ruleset {
  const found = new Map<Unit, string>()
  const tables = canonicalChains(save)
  for (const table of TABLES) {
    for (const [chain, text] of tables.get(table) ?? []) {
      if (isOurChain(table, chain)) found.set(chainUnit(table, chain), text)
      else if (text !== '' || chain === FIREWALL) collectLines(table, chain, text, found)
    }
  }
  return found
}

/** In other people's chains: each line that leads into one of ours, and our line in the chain we share with kubelet. */
function collectLines(table: Table, chain: string, text: string, found: Map<Unit, string>): void {
  if (chain === FIREWALL && table === 'filter') found.set(chainUnit(table, chain), '')
  for (const line of text.split('\n')) {
    if (!isOurLine(table, line)) continue
    let copy = 1
    while (found.has(lineUnit(table, line, copy))) copy++
    found.set(lineUnit(table, line, copy), '')
  }
}

const TARGET = / -[jg] (KUBE-[A-Z0-9-]+)$/

function isOurLine(table: Table, line: string): boolean {
  if (line.startsWith(`-A ${FIREWALL} `)) return line.includes('"block incoming localnet connections"')
  const target = TARGET.exec(line)?.[1]
  return target !== undefined && (isOurChain(table, target) || (table === 'filter' && target === FIREWALL))
}
