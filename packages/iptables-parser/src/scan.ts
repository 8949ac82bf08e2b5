import { ParseError } from './parse-error.ts'
import { closingQuote, isBlank, UNTERMINATED } from './words.ts'

// The text of iptables-save → its lines, given to a visitor one by one: tables, chains, rules, notes.

/** Where a line lies in the text; blanks at its end are cut off. */
export interface Line {
  readonly start: number
  readonly end: number
  /** Counts from 1. */
  readonly number: number
}

export interface Visitor {
  /** `*nat` */
  table(name: string): void
  /** `:INPUT ACCEPT [0:0]` */
  chain(line: Line): void
  /** `-A INPUT …` or `[12:345] -A INPUT …`; every quote in it is closed. */
  rule(line: Line): void
  /** `# …` */
  note(text: string): void
  commit(): void
}

export function scan(text: string, visitor: Visitor): void {
  new Scan(text, visitor).run()
}

const HASH = 35
const STAR = 42
const DASH = 45
const COLON = 58
const BRACKET = 91

class Scan {
  readonly #text: string
  readonly #visitor: Visitor
  readonly #escapes: boolean
  #table: string | undefined
  /** The first quote that is not looked at yet. */
  #quote = -1

  constructor(text: string, visitor: Visitor) {
    this.#text = text
    this.#visitor = visitor
    this.#escapes = text.includes('\\')
  }

  run(): void {
    let start = 0
    let number = 0
    while (start < this.#text.length) {
      const newline = this.#text.indexOf('\n', start)
      const stop = newline < 0 ? this.#text.length : newline
      number++
      this.#line({ start, end: this.#trimmed(start, stop), number })
      start = stop + 1
    }
    if (this.#table === undefined) return
    throw new ParseError(`the text is cut off: no COMMIT ends table ${this.#table}`, { line: number, column: 1 })
  }

  #trimmed(start: number, stop: number): number {
    let end = stop
    while (end > start && isBlank(this.#text.charCodeAt(end - 1))) end--
    return end
  }

  #line(line: Line): void {
    const first = line.end === line.start ? HASH : this.#text.charCodeAt(line.start)
    if (first === HASH) this.#note(line)
    else if (first === STAR) this.#open(line)
    else if (this.#table === undefined) throw this.#error('a table must start here, as in "*nat"', line)
    else if (first === DASH || first === BRACKET) this.#rule(line)
    else if (first === COLON) this.#visitor.chain(line)
    else this.#commit(line)
  }

  #note({ start, end }: Line): void {
    if (end > start) this.#visitor.note(this.#text.slice(start, end))
  }

  #open(line: Line): void {
    if (this.#table !== undefined)
      throw this.#error(`no COMMIT ended table ${this.#table}, and here starts another`, line)
    this.#table = this.#text.slice(line.start + 1, line.end).trim()
    if (this.#table === '') throw this.#error('a table needs a name, as in "*nat"', line)
    this.#visitor.table(this.#table)
  }

  #rule(line: Line): void {
    this.#checkQuotes(line)
    this.#visitor.rule(line)
  }

  #commit(line: Line): void {
    const text = this.#text.slice(line.start, line.end)
    if (text !== 'COMMIT') throw this.#error(`"${text}" is no rule, chain, note or COMMIT`, line)
    this.#table = undefined
    this.#visitor.commit()
  }

  /** Looks for quotes in the whole text, not per line: most lines have none or two. */
  #checkQuotes(line: Line): void {
    if (this.#quote < line.start) this.#quote = this.#quoteFrom(line.start)
    while (this.#quote < line.end) {
      const close = this.#escapes ? closingQuote(this.#text, this.#quote) : this.#quoteFrom(this.#quote + 1)
      if (close < 0 || close >= line.end) throw this.#error(UNTERMINATED, line, this.#quote)
      this.#quote = this.#quoteFrom(close + 1)
    }
  }

  #quoteFrom(at: number): number {
    const found = this.#text.indexOf('"', at)
    return found < 0 ? this.#text.length : found
  }

  #error(problem: string, line: Line, at = line.start): ParseError {
    return new ParseError(problem, { line: line.number, column: at - line.start + 1 })
  }
}
