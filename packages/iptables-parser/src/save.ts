import { countersText } from './counters.ts'
import { ChainNames, chainLine, ruleLine } from './lines.ts'
import type { Counters } from './parts.ts'
import { Rule } from './rule.ts'
import { type Line, scan, type Visitor } from './scan.ts'

// The text of iptables-save ⇄ tables, chains and rules.

export interface Chain {
  readonly name: string
  /** `ACCEPT` or `DROP` of a built-in chain, `-` of another; missing where the text has rules for it but no `:` line. */
  readonly policy?: string | undefined
  readonly counters?: Counters | undefined
  readonly rules: readonly Rule[]
}

export interface Table {
  readonly name: string
  /** In the order of the text, as are their rules. */
  readonly chains: ReadonlyMap<string, Chain>
  /** The `#` lines before it and in it. */
  readonly notes: readonly string[]
}

export interface Save {
  readonly tables: readonly Table[]
  /** The `#` lines behind the last table. */
  readonly notes: readonly string[]
}

/** Throws a ParseError. What a rule says is read when it is asked. */
export function parse(text: string): Save {
  const reading = new SaveReading(text)
  scan(text, reading)
  return reading.save()
}

/** A text for iptables-restore, which `parse` reads back to the same. */
export function format({ tables, notes }: Save): string {
  const lines = tables.flatMap(table => [
    ...table.notes,
    `*${table.name}`,
    ...[...table.chains.values()].flatMap(chainLines),
    ...[...table.chains.values()].flatMap(({ rules }) => rules.map(ruleLineText)),
    'COMMIT',
  ])
  return [...lines, ...notes].map(line => `${line}\n`).join('')
}

function chainLines({ name, policy, counters }: Chain): readonly string[] {
  if (policy === undefined) return []
  return [`:${name} ${policy}${counters === undefined ? '' : ` ${countersText(counters)}`}`]
}

function ruleLineText({ text, countersText: counters }: Rule): string {
  return counters === undefined ? text : `${counters} ${text}`
}

/** A chain while its rules are collected. */
interface OpenChain {
  readonly name: string
  readonly rules: Rule[]
  policy?: string | undefined
  counters?: Counters | undefined
}

class SaveReading implements Visitor {
  readonly #text: string
  readonly #names: ChainNames
  readonly #tables: Table[] = []
  #name = ''
  #chains = new Map<string, OpenChain>()
  #notes: string[] = []
  #last: OpenChain = { name: '', rules: [] }

  constructor(text: string) {
    this.#text = text
    this.#names = new ChainNames(text)
  }

  save(): Save {
    return { tables: this.#tables, notes: this.#notes }
  }

  table(name: string): void {
    this.#name = name
  }

  chain(line: Line): void {
    const { name, policy, counters } = chainLine(this.#text, line)
    const chain = this.#chainOf(name)
    chain.policy = policy
    chain.counters = counters
  }

  rule(line: Line): void {
    const pieces = ruleLine(this.#text, line)
    const name = this.#names.of(pieces)
    if (this.#last.name !== name) this.#last = this.#chainOf(name)
    this.#last.rules.push(new Rule(name, this.#text.slice(pieces.body, pieces.end), pieces))
  }

  note(text: string): void {
    this.#notes.push(text)
  }

  commit(): void {
    this.#tables.push({ name: this.#name, chains: this.#chains, notes: this.#notes })
    this.#chains = new Map()
    this.#notes = []
    this.#last = { name: '', rules: [] }
  }

  #chainOf(name: string): OpenChain {
    const known = this.#chains.get(name)
    if (known !== undefined) return known
    const chain = { name, rules: [] }
    this.#chains.set(name, chain)
    return chain
  }
}
