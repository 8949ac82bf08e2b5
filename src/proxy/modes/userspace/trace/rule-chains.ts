import { parseRule, type Rule } from 'iptables-parser'
import type { Ruleset, Unit } from '#proxy/modes/mode.ts'
import { standsLast } from '#proxy/modes/userspace/base.ts'
import { chainUnit, type UserspaceTable, unitParts } from '#proxy/modes/userspace/names.ts'

// A ruleset → the rules of each chain, in the order in which the kernel evaluates them; a chain is parsed when the
// first packet enters it.

export interface WrittenRule {
  readonly rule: Rule
  readonly text: string
}

export class RuleChains {
  readonly #rules: Ruleset
  readonly #jumps = new Map<Unit, string[]>()
  readonly #read = new Map<Unit, readonly WrittenRule[]>()
  /** Listener names; the index stands for the proxy port, from FIRST. */
  readonly #listeners: string[] = []

  constructor(rules: Ruleset) {
    this.#rules = rules
    const lines = [...rules.keys()].map(unitParts).filter(parts => 'line' in parts)
    for (const { table, line } of lines.toSorted((a, b) => Number(standsLast(a.line)) - Number(standsLast(b.line)))) {
      const home = chainUnit(table, line.split(' ', 1)[0]!)
      this.#jumps.set(home, [...(this.#jumps.get(home) ?? []), `-A ${line}`])
    }
  }

  /** Undefined for a chain that is not ours and has no jump of ours. */
  rules(table: UserspaceTable, chain: string): readonly WrittenRule[] | undefined {
    const unit = chainUnit(table, chain)
    const known = this.#read.get(unit)
    const text = this.#rules.get(unit)
    const jumps = this.#jumps.get(unit)
    if (known !== undefined || (text === undefined && jumps === undefined)) return known
    const lines = [...(text ? text.split('\n') : []), ...(jumps ?? [])]
    const read = lines.map(line => ({ text: line, rule: parseRule(this.#numbered(line)) }))
    this.#read.set(unit, read)
    return read
  }

  listenerAt(number: number): string | undefined {
    return this.#listeners[number - FIRST]
  }

  /**
   * With a number in place of a listener's name: only the relay knows the real port, and a rule needs a number to be
   * parsed.
   */
  #numbered(line: string): string {
    return line.replace(/\{([^{}]+)\}/, (_, name: string) => {
      const known = this.#listeners.indexOf(name)
      return String(FIRST + (known < 0 ? this.#listeners.push(name) - 1 : known))
    })
  }
}

/** Above every real port. */
const FIRST = 65_536
