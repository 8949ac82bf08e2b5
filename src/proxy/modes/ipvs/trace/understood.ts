import type { Options, Rule } from 'iptables-parser'

// The options of a match or target, checked: an option that this tracer does not know is an error.

/** A rule has words that this tracer does not understand: passing over them would give a wrong answer. */
export class CannotTraceIpvs extends Error {
  constructor(rule: Rule, why: string) {
    super(`cannot trace "${rule.text}": it ${why}`)
    this.name = 'CannotTrace'
  }
}

/** The one option there may be, and its one value. */
export function only(
  rule: Rule,
  options: Options,
  name: string,
): { readonly value: string; readonly negated: boolean } {
  const [option, ...more] = options
  if (option?.name !== name || more.length > 0) throw new CannotTraceIpvs(rule, `should say ${name}, and nothing else`)
  return { value: option.values.join(' '), negated: option.negated }
}
