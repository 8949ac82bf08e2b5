import { canonicalChains } from 'iptables-parser'
import { saveAll, type Tools } from '#dialects/iptables.ts'
import type { Ruleset, Unit } from '#proxy/modes/mode.ts'
import { must } from '#system/must.ts'
import type { Kernel } from '#system/ports.ts'
import { strangers, targetOf } from './foreign-rules.ts'
import { chainUnit, FIREWALL, isBuiltIn, isEntrance, isOurChain, lineUnit, type Table } from './names.ts'

// What iptables-save prints → the units that are ours, in the very text we would write.

const TABLES: readonly Table[] = ['mangle', 'filter', 'nat']

export async function read(kernel: Kernel, tools: Tools): Promise<Ruleset> {
  const { stdout } = await must(kernel, saveAll(tools))
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

/** In other people's chains: the jumps that lead into ours, and our line in the chain we share with kubelet. */
function collectLines(table: Table, chain: string, text: string, found: Map<Unit, string>): void {
  if (chain === FIREWALL && table === 'filter') found.set(chainUnit(table, chain), '')
  if (chain !== FIREWALL && !isBuiltIn(chain)) return
  for (const line of text.split('\n')) {
    if (!isOurLine(table, line)) continue
    let copy = 1
    while (found.has(lineUnit(table, line, copy))) copy++
    found.set(lineUnit(table, line, copy), '')
  }
}

/** A stranger may lead packets into our chains too; only the jumps that say why are ours, as they were in every version. */
function isOurLine(table: Table, line: string): boolean {
  if (line.startsWith(`-A ${FIREWALL} `)) return line.includes('"block incoming localnet connections"')
  const target = targetOf(line)
  if (target === undefined || !isEntrance(table, target)) return false
  return target === FIREWALL || line.includes(' --comment "kubernetes ')
}

/** Each chain of ours that a rule of somebody else leads to, with that rule. */
export async function holders(kernel: Kernel, tools: Tools): Promise<ReadonlyMap<Unit, string>> {
  const { stdout } = await must(kernel, saveAll(tools))
  return strangers(canonicalChains(stdout), {
    chain: isOurChain,
    line: (table, chain, line) => (isBuiltIn(chain) || chain === FIREWALL) && isOurLine(table, line),
  })
}
