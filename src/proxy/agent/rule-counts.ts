import type { Ruleset } from '#proxy/modes/mode.ts'
import { ruleUnit } from '#proxy/modes/netfilter/units.ts'

// iptables rules → how many there are in each table, counted without splitting the text: there may be a million.

/** Of the units of iptables mode: a chain has a rule in each line of its text, a unit of a single line is one rule. */
export function ruleCounts(rules: Ruleset): Readonly<Record<string, number>> {
  const counts: Record<string, number> = { filter: 0, nat: 0 }
  for (const [unit, text] of rules) {
    const rule = ruleUnit(unit)
    if (rule === undefined || !Object.hasOwn(counts, rule.table)) continue
    counts[rule.table]! += rule.kind === 'line' ? 1 : linesIn(text)
  }
  return counts
}

/** Of a document for iptables-restore. */
export function rulesWritten(document: string): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  let table = ''
  for (let at = 0, end = 0; end >= 0 && at < document.length; at = end + 1) {
    end = document.indexOf('\n', at)
    if (document.startsWith('*', at)) table = document.slice(at + 1, end < 0 ? undefined : end)
    else if (document.startsWith('-A ', at) || document.startsWith('-I ', at)) counts[table] = (counts[table] ?? 0) + 1
  }
  return counts
}

function linesIn(text: string): number {
  if (text === '') return 0
  let lines = 1
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++
  return lines
}
