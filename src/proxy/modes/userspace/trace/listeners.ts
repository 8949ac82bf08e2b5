import { parseRule, type Rule, type Target } from 'iptables-parser'
import type { Effect } from '#proxy/modes/netfilter/trace/target.ts'
import { CannotTrace } from '#proxy/modes/trace.ts'
import { parseAddress } from '#values/address.ts'

// A rule has a listener's name where its proxy port will stand: only the relay knows the port, and a rule needs a number to be
// parsed. So each listener has a number here.

/** Above every real port. */
const FIRST = 65_536

export class NumberedListeners {
  readonly #names: string[] = []

  parse(line: string): Rule {
    return parseRule(line.replace(/\{([^{}]+)\}/, (_, name: string) => String(FIRST + this.#numberOf(name))))
  }

  redirect(rule: Rule, { options }: Target): Effect {
    const text = (options.get('--to-ports') ?? options.get('--to-destination'))?.values[0] ?? ''
    const [, bracketed, bare, digits] = /^(?:(?:\[([^\]]+)\]|([^:]+)):)?(\d+)$/.exec(text) ?? []
    const port = Number(digits)
    const listener = this.#names[port - FIRST]
    if (listener === undefined) throw new CannotTrace(rule, `leads to port ${digits}, where none of ours listens`)
    const change = ({ to }: Parameters<Effect['change']>[0]) => ({
      listener,
      port,
      to: parseAddress(bracketed ?? bare) ?? to,
    })
    return { did: `redirect to the listener ${listener}`, onward: 'done', change }
  }

  #numberOf(name: string): number {
    const known = this.#names.indexOf(name)
    return known < 0 ? this.#names.push(name) - 1 : known
  }
}
