import { parseRule, type Rule } from 'iptables-parser'
import { JUMP_UNITS } from '#proxy/modes/iptables/base.ts'
import { chainUnit, type Table, unitParts } from '#proxy/modes/iptables/names.ts'
import type { Ruleset, Unit } from '#proxy/modes/mode.ts'
import { CannotTrace } from '#proxy/modes/trace.ts'

// A ruleset → the rules of each chain, in the order in which the kernel evaluates them.

/** A chain is parsed when the first packet enters it. */
export class Chains {
  readonly #rules: Ruleset
  /** Single lines, by their chain. */
  readonly #lines = new Map<Unit, string[]>()
  readonly #read = new Map<Unit, readonly Rule[]>()

  constructor(rules: Ruleset) {
    this.#rules = rules
    const singles = [...rules.keys()].filter(unit => 'line' in unitParts(unit))
    singles.sort((a, b) => JUMP_UNITS.indexOf(b) - JUMP_UNITS.indexOf(a))
    for (const unit of singles) this.#addLine(unit)
  }

  rules(table: Table, chain: string): readonly Rule[] | undefined {
    const unit = chainUnit(table, chain)
    const known = this.#read.get(unit)
    const text = this.#rules.get(unit)
    const lines = this.#lines.get(unit)
    if (known !== undefined || (text === undefined && lines === undefined)) return known
    const rules = [...(text ? text.split('\n') : []), ...(lines ?? [])].map(line => ruleOf(chain, line))
    this.#read.set(unit, rules)
    return rules
  }

  #addLine(unit: Unit): void {
    const parts = unitParts(unit)
    if (!('line' in parts)) return
    const home = chainUnit(parts.table, parts.line.split(' ', 1)[0]!)
    this.#lines.set(home, [...(this.#lines.get(home) ?? []), `-A ${parts.line}`])
  }

  /**
   * The endpoint that clients on this `recent` list were sent to: an endpoint's chain keeps the list of its own name.
   */
  destinationOf(list: string): string | undefined {
    const remembering = this.rules('nat', list)?.find(({ matches }) =>
      matches.some(
        ({ name, options }) => name === 'recent' && options.has('--set') && options.get('--name')?.values[0] === list,
      ),
    )
    return remembering?.target?.options.get('--to-destination')?.values[0]
  }
}

/** iptables-restore appends a line to the chain it names, whatever unit the line is in. */
function ruleOf(chain: string, line: string): Rule {
  const rule = parseRule(line)
  if (rule.chain !== chain) throw new CannotTrace(rule, `stands among the rules of ${chain}`)
  return rule
}
