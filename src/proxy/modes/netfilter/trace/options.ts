import type { Options, Rule } from 'iptables-parser'
import { CannotTrace } from '#proxy/modes/trace.ts'

// Options of a match or target → their values; an unknown option ends the trace, because skipping it would be a wrong
// answer.

export function knownOptions(rule: Rule, options: Options, names: readonly string[]): void {
  for (const { name } of options) {
    if (!names.includes(name)) throw new CannotTrace(rule, `has an option "${name}", which is not known here`)
  }
}

/** `0x4000/0x4000`: a value and its mask; without a mask, all bits. */
export function bits(rule: Rule, options: Options, name: string): { readonly value: number; readonly mask: number } {
  const [value, mask = 0xffffffff] = (options.get(name)?.values[0] ?? '').split('/').map(Number)
  if (value === undefined || Number.isNaN(value) || Number.isNaN(mask))
    throw new CannotTrace(rule, `has no number behind ${name}`)
  return { value, mask }
}
