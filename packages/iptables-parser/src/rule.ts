import { readCounters } from './counters.ts'
import { chainName, ruleLine } from './lines.ts'
import type { Place } from './parse-error.ts'
import type { Counters, Given, Match, RuleParts, Target } from './parts.ts'
import { readRule } from './read-rule.ts'

// One line of iptables-save → what it says, read when it is asked: most rules of a big table never are.

/** Where a rule was found, what stood in front of it, and its parts if they are read already. */
interface Origin {
  readonly place: Place
  readonly counters?: string | undefined
  readonly parts?: RuleParts
}

/** A rule in its own words. The first look at a typed part reads the text, and throws a ParseError if it makes no sense. */
export class Rule implements RuleParts {
  readonly chain: string
  /** The line from `-A` on, as it was written. */
  readonly text: string
  /** `[12:345]` in front of it, if that was there. */
  readonly countersText: string | undefined
  readonly #line: number
  readonly #column: number
  #parts: RuleParts | undefined

  constructor(chain: string, text: string, { place, counters, parts }: Origin) {
    this.chain = chain
    this.text = text
    this.countersText = counters
    this.#line = place.line
    this.#column = place.column
    this.#parts = parts
  }

  get place(): Place {
    return { line: this.#line, column: this.#column }
  }

  get counters(): Counters | undefined {
    return this.countersText === undefined ? this.#read().counters : readCounters(this.countersText, this.place)
  }

  get source(): Given | undefined {
    return this.#read().source
  }

  get destination(): Given | undefined {
    return this.#read().destination
  }

  get inInterface(): Given | undefined {
    return this.#read().inInterface
  }

  get outInterface(): Given | undefined {
    return this.#read().outInterface
  }

  get protocol(): Given | undefined {
    return this.#read().protocol
  }

  get fragment(): Given | undefined {
    return this.#read().fragment
  }

  get matches(): readonly Match[] {
    return this.#read().matches
  }

  get target(): Target | undefined {
    return this.#read().target
  }

  #read(): RuleParts {
    this.#parts ??= readRule(this.text, this.place)
    return this.#parts
  }
}

/** One line: `-A …`, or `[12:345] -A …`. Unlike the rules of a whole save it is read at once. Throws a ParseError. */
export function parseRule(line: string): Rule {
  const pieces = ruleLine(line, { start: 0, end: line.trimEnd().length, number: 1 })
  const text = line.slice(pieces.body, pieces.end)
  const chain = chainName(text, pieces.place)
  return new Rule(chain, text, { ...pieces, parts: readRule(text, pieces.place) })
}
