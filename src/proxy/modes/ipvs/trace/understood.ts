import type { Options, Rule } from 'iptables-parser'
import { CannotTrace } from '#proxy/modes/trace.ts'

// The options of a match or target, checked: an option that this tracer does not know is an error.

/** The one option there may be, and its one value. */
export function only(
  rule: Rule,
  options: Options,
  name: string,
): { readonly value: string; readonly negated: boolean } {
  const [option, ...more] = options
  if (option?.name !== name || more.length > 0) throw new CannotTrace(rule, `should say ${name}, and nothing else`)
  return { value: option.values.join(' '), negated: option.negated }
}
