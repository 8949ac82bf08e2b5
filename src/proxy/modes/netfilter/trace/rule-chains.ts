import { parseRule, type Rule } from 'iptables-parser'
import type { Ruleset, Unit } from '#proxy/modes/mode.ts'
import { inOrder, type Jumps } from '#proxy/modes/netfilter/jumps.ts'
import { chainUnit, type LineUnit, ruleUnit, type Table } from '#proxy/modes/netfilter/units.ts'
import { CannotTrace } from '#proxy/modes/trace.ts'

// A ruleset → the rules of each chain, in the order in which the kernel evaluates them; a chain is parsed when the first packet
// enters it.

export interface WrittenRule {
  readonly rule: Rule
  /** As the mode has it: a mode may write words that only it can parse. */
  readonly text: string
}

export type Parse = (line: string) => Rule

export class RuleChains {
  readonly #rules: Ruleset
  readonly #parse: Parse
  /** Single lines, by the chain they stand in. */
  readonly #lines = new Map<Unit, string[]>()
  readonly #read = new Map<Unit, readonly WrittenRule[]>()

  constructor(rules: Ruleset, jumps: Jumps, parse: Parse = parseRule) {
    this.#rules = rules
    this.#parse = parse
    for (const { table, chain, line } of standing(rules, jumps)) {
      const home = chainUnit(table, chain)
      this.#lines.set(home, [...(this.#lines.get(home) ?? []), `-A ${line}`])
    }
  }

  /** Undefined for a chain that is not ours and has no line of ours. */
  rules(table: Table, chain: string): readonly WrittenRule[] | undefined {
    const unit = chainUnit(table, chain)
    const known = this.#read.get(unit)
    const text = this.#rules.get(unit)
    const lines = this.#lines.get(unit)
    if (known !== undefined || (text === undefined && lines === undefined)) return known
    const rules = [...(text ? text.split('\n') : []), ...(lines ?? [])].map(line => this.#ruleOf(chain, line))
    this.#read.set(unit, rules)
    return rules
  }

  /** iptables-restore appends a line to the chain it names, whatever unit the line is in. */
  #ruleOf(chain: string, text: string): WrittenRule {
    const rule = this.#parse(text)
    if (rule.chain !== chain) throw new CannotTrace(rule, `stands among the rules of ${chain}`)
    return { rule, text }
  }

  /**
   * The endpoint that clients on this `recent` list were sent to: an endpoint's chain keeps the list of its own name.
   */
  destinationOf(list: string): string | undefined {
    const remembering = this.rules('nat', list)?.find(({ rule }) =>
      rule.matches.some(
        ({ name, options }) => name === 'recent' && options.has('--set') && options.get('--name')?.values[0] === list,
      ),
    )
    return remembering?.rule.target?.options.get('--to-destination')?.values[0]
  }
}

/** Of lines that were put in front, the last stands first. */
function standing(rules: Ruleset, jumps: Jumps): readonly LineUnit[] {
  const found: (LineUnit & { readonly unit: Unit })[] = []
  for (const unit of rules.keys()) {
    const rule = ruleUnit(unit)
    if (rule?.kind === 'line') found.push({ ...rule, unit })
  }
  const lines = inOrder(found, jumps)
  const isLast = ({ line }: LineUnit): boolean => jumps.isLast?.(line) === true
  return [...lines.filter(line => !isLast(line)).toReversed(), ...lines.filter(isLast)]
}
