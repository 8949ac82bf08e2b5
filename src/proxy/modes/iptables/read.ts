import { canonicalChains } from 'iptables-parser'
import { saveAll, type Tools } from '#dialects/iptables.ts'
import type { ModeChains } from '#proxy/modes/iptables-watches.ts'
import type { Ruleset, Unit } from '#proxy/modes/mode.ts'
import { must } from '#system/must.ts'
import type { Kernel } from '#system/ports.ts'
import { foreignRules as foreignRulesTo, targetOf } from './foreign-rules.ts'
import { chainUnit, FIREWALL, isBuiltIn, isJumpTarget, isOurChain, lineUnit, type Table } from './names.ts'

// iptables-save → our units, in the same text that we would write.

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

export const CHAINS: ModeChains = {
  tables: TABLES,
  isOurs: (table, chain) => isOurChain(table as Table, chain),
  isShared: (_, chain) => isBuiltIn(chain) || chain === FIREWALL,
  made: chainUnit('filter', FIREWALL),
  unitsIn: (_, save) => ourUnits(save),
}

/** In chains we do not own: our jumps, and our line in KUBE-FIREWALL, which kubelet uses too. */
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

/**
 * A foreign rule may jump to our chains too. Jumps with this comment are ours: kube-proxy of every version wrote it.
 */
function isOurLine(table: Table, line: string): boolean {
  if (line.startsWith(`-A ${FIREWALL} `)) return line.includes('"block incoming localnet connections"')
  const target = targetOf(line)
  if (target === undefined || !isJumpTarget(table, target)) return false
  return target === FIREWALL || line.includes(' --comment "kubernetes ')
}

/** Each chain of ours that a foreign rule jumps to, with that rule. */
export async function foreignRules(kernel: Kernel, tools: Tools): Promise<ReadonlyMap<Unit, string>> {
  const { stdout } = await must(kernel, saveAll(tools))
  return foreignRulesTo(canonicalChains(stdout), {
    chain: isOurChain,
    line: (table, chain, line) => (isBuiltIn(chain) || chain === FIREWALL) && isOurLine(table, line),
  })
}
