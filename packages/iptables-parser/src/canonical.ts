import { network } from './addresses.ts'
import { asWritten, sayOptions } from './form.ts'
import { MATCHES } from './matches.ts'
import { protocol } from './names.ts'
import type { Family, Given, RuleParts } from './parts.ts'
import { parseRule } from './rule.ts'
import { TARGETS } from './targets.ts'
import { bare } from './words.ts'

// A rule, however it was written → the text iptables-save 1.8.9 (nf_tables) prints for it, without counters.

/**
 * What was written and what the kernel prints compare equal in this form. The family matters only where a rule leaves
 * out what the tool then fills in for it: why it rejects, which bits of an address it remembers.
 */
export function canonical(rule: RuleParts | string, family: Family = 'ipv4'): string {
  const parts = typeof rule === 'string' ? parseRule(rule) : rule
  let text = `-A ${bare(parts.chain)}`
  text += selector('-s', parts.source, network)
  text += selector('-d', parts.destination, network)
  text += selector('-i', parts.inInterface, asWritten)
  text += selector('-o', parts.outInterface, asWritten)
  text += selector('-p', parts.protocol, protocol)
  if (parts.fragment !== undefined) text += parts.fragment.negated ? ' ! -f' : ' -f'
  for (const { name, options } of parts.matches)
    text += ` -m ${bare(name)}${sayOptions(MATCHES.get(name), options, family)}`
  const { target } = parts
  if (target === undefined) return text
  const options = sayOptions(TARGETS.get(target.name), target.options, family)
  return `${text} ${target.by === 'jump' ? '-j' : '-g'} ${bare(target.name)}${options}`
}

/** What matches everything is not printed. */
const EVERYTHING = new Set(['0.0.0.0/0', '::/0', '+', 'all'])

function selector(flag: string, given: Given | undefined, say: (value: string) => string): string {
  if (given === undefined) return ''
  const said = say(given.value)
  if (!given.negated && EVERYTHING.has(said)) return ''
  return `${given.negated ? ' !' : ''} ${flag} ${bare(said)}`
}
