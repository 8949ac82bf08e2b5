import { readCounters } from './counters.ts'
import { ParseError, type Place } from './parse-error.ts'
import type { Counters } from './parts.ts'
import type { Line } from './scan.ts'

// A line of a long text → its pieces: a chain with its policy, or a rule, where its words start and whose it is.

/** `:INPUT ACCEPT [0:0]` */
export interface ChainLine {
  readonly name: string
  readonly policy: string
  readonly counters: Counters | undefined
}

export function chainLine(text: string, { start, end, number }: Line): ChainLine {
  const line = text.slice(start, end)
  const match = /^:(\S+)\s+(\S+)(?:\s+(\[\S+\]))?$/.exec(line)
  const place = { line: number, column: 1 }
  if (match === null) throw new ParseError(`a chain looks like ":INPUT ACCEPT [0:0]", not like "${line}"`, place)
  const counters = match[3] === undefined ? undefined : readCounters(match[3], place)
  return { name: match[1]!, policy: match[2]!, counters }
}

/** `[12:345] -A INPUT …` in its pieces. */
export interface RuleLine {
  /** Where `-A` stands. */
  readonly body: number
  readonly end: number
  readonly place: Place
  /** `[12:345]` */
  readonly counters: string | undefined
}

export function ruleLine(text: string, { start, end, number }: Line): RuleLine {
  if (text[start] !== '[') return { body: start, end, place: { line: number, column: 1 }, counters: undefined }
  const close = text.indexOf(']', start)
  let body = close + 1
  while (text[body] === ' ') body++
  if (close < 0 || body >= end)
    throw new ParseError('counters look like [packets:bytes], with a rule behind them', { line: number, column: 1 })
  const place = { line: number, column: body - start + 1 }
  return { body, end, place, counters: text.slice(start, close + 1) }
}

/** The chain of a rule, from its text. */
export function chainName(rule: string, place: Place): string {
  const match = /^(?:-A|--append)[ \t]+([^\s"]+)(?=\s|$)/.exec(rule)
  if (match === null) throw new ParseError('a rule starts with -A and the name of its chain', place)
  return match[1]!
}

/** The same for one rule after the other, quickly where a rule belongs to the chain of the one before. */
export class ChainNames {
  readonly #text: string
  #name = ''
  #prefix = '\n'

  constructor(text: string) {
    this.#text = text
  }

  of({ body, end, place }: RuleLine): string {
    if (!this.#text.startsWith(this.#prefix, body)) {
      this.#name = chainName(this.#text.slice(body, end), place)
      this.#prefix = `-A ${this.#name} `
    }
    return this.#name
  }
}
