import type { Given, Options, RuleParts } from './parts.ts'
import { bare, bareValue } from './words.ts'

// The parts of a rule → a line that iptables-restore takes and that reads back as the same parts.

export function ruleText(parts: RuleParts): string {
  const words = ['-A', bare(parts.chain)]
  if (parts.counters !== undefined) words.push('-c', `${parts.counters.packets}`, `${parts.counters.bytes}`)
  words.push(...given('-s', parts.source), ...given('-d', parts.destination))
  words.push(...given('-i', parts.inInterface), ...given('-o', parts.outInterface), ...given('-p', parts.protocol))
  if (parts.fragment !== undefined) words.push(...(parts.fragment.negated ? ['!', '-f'] : ['-f']))
  for (const match of parts.matches) words.push('-m', bare(match.name), ...optionWords(match.options))
  const { target } = parts
  if (target !== undefined)
    words.push(target.by === 'jump' ? '-j' : '-g', bare(target.name), ...optionWords(target.options))
  return words.join(' ')
}

function given(flag: string, value: Given | undefined): readonly string[] {
  if (value === undefined) return []
  return value.negated ? ['!', flag, bare(value.value)] : [flag, bare(value.value)]
}

function optionWords(options: Options): readonly string[] {
  return [...options].flatMap(({ name, values, negated }) => [
    ...(negated ? ['!'] : []),
    name,
    ...values.map(bareValue),
  ])
}
