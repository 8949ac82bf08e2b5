import type { Options, Rule } from 'iptables-parser'

// What is asked of every match and target: that nothing in it is passed over.

/** A rule that says something this tracer does not understand: passing over it would be a wrong answer. */
export class CannotTrace extends Error {
  constructor(rule: Rule, why: string) {
    super(`cannot trace "${rule.text}": it ${why}`)
    this.name = 'CannotTrace'
  }
}

export function knownOptions(rule: Rule, options: Options, names: readonly string[]): void {
  for (const { name } of options) {
    if (!names.includes(name)) throw new CannotTrace(rule, `has an option "${name}", which is not known here`)
  }
}

/** `0x4000/0x4000`: a value, and the bits it is about; all of them where none are named. */
export function bits(rule: Rule, options: Options, name: string): { readonly value: number; readonly mask: number } {
  const [value, mask = 0xffffffff] = (options.get(name)?.values[0] ?? '').split('/').map(Number)
  if (value === undefined || Number.isNaN(value) || Number.isNaN(mask))
    throw new CannotTrace(rule, `has no number behind ${name}`)
  return { value, mask }
}
