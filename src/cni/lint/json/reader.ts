import type { JsonMember, JsonNode, ListNode, ObjectNode, PlainNode } from './node.ts'
import { Scanner, type SyntaxProblem } from './scanner.ts'
import { readText, startsText } from './text-reader.ts'

// The text of a file → all values in it and where they stand, and everything in it that is not JSON. Unlike JSON.parse it
// does not stop at the first mistake: it understands what was meant, and goes on.

export interface ReadJson {
  /** Undefined where the file has no value at all. */
  readonly root: JsonNode | undefined
  readonly problems: readonly SyntaxProblem[]
}

export function readTolerantly(text: string): ReadJson {
  return new TolerantReader(text).read()
}

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/
/** Up to what ends a value. A colon is a part of it where no space follows, as in an IPv6 address. */
const WORD = /(?:[^\s,;:{}[\]"#]|:(?=[^\s,;{}[\]"]))+/y
const KEY_WORD = /[^\s,:={}[\]"]+/y
const WORDS = new Map<string, boolean | null>([
  ['true', true],
  ['false', false],
  ['null', null],
])
/** What other languages have for them. */
const ALIKE = new Map<string, string>([
  ...['yes', 'on'].map(word => [word, 'true'] as const),
  ...['no', 'off'].map(word => [word, 'false'] as const),
  ...['none', 'nil', 'undefined'].map(word => [word, 'null'] as const),
])
const DEEPEST = 200

class TolerantReader {
  readonly #scanner: Scanner
  /** What is open here, outermost first. */
  readonly #open: ('}' | ']')[] = []
  #tooDeep: SyntaxProblem | undefined

  constructor(text: string) {
    this.#scanner = new Scanner(text)
  }

  read(): ReadJson {
    const scanner = this.#scanner
    scanner.skip()
    const root = scanner.isAtEnd ? undefined : this.#value()
    // What else is found in such a text helps as little as hundreds of missing brackets.
    if (this.#tooDeep !== undefined) return { root: undefined, problems: [this.#tooDeep] }
    if (root === undefined) scanner.problem(scanner.at, 'the file holds no JSON; an object in braces is wanted')
    scanner.skip()
    if (!scanner.isAtEnd && root !== undefined)
      scanner.problem(scanner.at, 'the configuration has ended before this; remove it')
    return { root, problems: scanner.problems.toSorted((a, b) => a.at - b.at) }
  }

  /** Undefined where what stands here is no value; then it has been said, and nothing has been read. */
  #value(): JsonNode | undefined {
    const { next, at } = this.#scanner
    if (this.#open.length > DEEPEST) {
      this.#tooDeep = { at, message: 'lists and objects stand in each other too deep to be a configuration' }
      this.#scanner.step(this.#scanner.text.length)
      return undefined
    }
    if (next === '{') return this.#object()
    if (next === '[') return this.#list()
    if (startsText(next)) return readText(this.#scanner)
    const word = this.#scanner.match(WORD)
    if (word !== undefined) return this.#word(word, at)
    this.#scanner.problem(at, 'a value is missing here')
    return undefined
  }

  #object(): ObjectNode {
    const at = this.#enter('}')
    const members: JsonMember[] = []
    while (this.#hasMore(at, members.length)) {
      const member = this.#member()
      if (member !== undefined) members.push(member)
    }
    return { kind: 'object', at, end: this.#scanner.at, members }
  }

  #list(): ListNode {
    const at = this.#enter(']')
    const items: JsonNode[] = []
    while (this.#hasMore(at, items.length)) {
      const item = this.#value()
      if (item !== undefined) items.push(item)
      else this.#scanner.step()
    }
    return { kind: 'list', at, end: this.#scanner.at, items }
  }

  #enter(closing: '}' | ']'): number {
    this.#open.push(closing)
    this.#scanner.step()
    return this.#scanner.at - 1
  }

  /** Whether another item follows, after what stands between two: one comma. Behind the last one it steps out. */
  #hasMore(openedAt: number, count: number): boolean {
    const scanner = this.#scanner
    const closing = this.#open.at(-1)!
    let lastEnd = scanner.at
    scanner.skip()
    let commaAt = this.#commas(count)
    while (this.#closesNothing(scanner.next)) {
      scanner.problem(scanner.at, `${scanner.next} closes nothing; remove it`)
      scanner.step()
      lastEnd = scanner.at
      scanner.skip()
      commaAt = this.#commas(count)
    }
    const { next } = scanner
    if (next === closing) {
      if (count > 0 && commaAt !== undefined)
        scanner.problem(commaAt, `no comma may stand before ${closing}; remove it`)
      scanner.step()
    } else if (next !== '' && !'}]'.includes(next)) {
      if (count > 0 && commaAt === undefined) scanner.problem(lastEnd, 'a comma is missing here')
      return true
    } else {
      const opening = closing === '}' ? '{' : '['
      scanner.problem(
        openedAt,
        `${opening} is opened here and not closed; ${closing} is missing${next === '' ? '' : ` before ${next}`}`,
      )
    }
    this.#open.pop()
    return false
  }

  #closesNothing(next: string): boolean {
    return (next === '}' || next === ']') && !this.#open.includes(next)
  }

  /** Where the one comma stands that belongs here. */
  #commas(count: number): number | undefined {
    const scanner = this.#scanner
    let first: number | undefined
    while (scanner.next === ',' || scanner.next === ';') {
      if (scanner.next === ';') scanner.problem(scanner.at, '; separates nothing in JSON; write a comma')
      else if (first !== undefined || count === 0) scanner.problem(scanner.at, 'one comma too many; remove it')
      first ??= scanner.at
      scanner.step()
      scanner.skip()
    }
    return first
  }

  #member(): JsonMember | undefined {
    const scanner = this.#scanner
    const keyAt = scanner.at
    const key = this.#key()
    if (key === undefined) {
      // What stands in the key's place is read all the same, and dropped.
      if (this.#value() === undefined) scanner.step()
      return undefined
    }
    const keyEnd = scanner.at
    scanner.skip()
    const instead = scanner.match(/=>?|:=/y)
    if (instead !== undefined)
      scanner.problem(scanner.at - instead.length, `${instead}: JSON has a colon between key and value`)
    else if (!scanner.take(':')) scanner.problem(keyEnd, `a colon is missing behind the key ${JSON.stringify(key)}`)
    scanner.skip()
    const value = this.#value()
    return value && { key, keyAt, value }
  }

  #key(): string | undefined {
    const scanner = this.#scanner
    if (startsText(scanner.next)) return readText(scanner).value as string
    const at = scanner.at
    const word = scanner.match(KEY_WORD)
    if (word === undefined) scanner.problem(at, 'a key in quotes is missing here')
    else scanner.problem(at, `the key ${word} has no quotes; write ${JSON.stringify(word)}`)
    return word
  }

  #word(word: string, at: number): PlainNode {
    const end = this.#scanner.at
    const known = WORDS.get(word)
    if (known !== undefined) return constant(known, { at, end })
    if (NUMBER.test(word)) return { kind: 'number', at, end, value: Number(word) }
    const lower = word.toLowerCase()
    const meant = WORDS.has(lower) ? lower : ALIKE.get(lower)
    if (meant !== undefined) {
      this.#scanner.problem(at, `${word} is no word of JSON; write ${meant}`)
      return constant(WORDS.get(meant) ?? null, { at, end })
    }
    const number = /^[-+]?[\d.]+$/.test(word) ? Number(word) : Number.NaN
    if (Number.isNaN(number)) {
      this.#scanner.problem(at, `${word} has no quotes; write ${JSON.stringify(word)}`)
      return { kind: 'text', at, end, value: word }
    }
    this.#scanner.problem(at, `${word} is no number of JSON; write ${number}`)
    return { kind: 'number', at, end, value: number }
  }
}

function constant(value: boolean | null, where: { readonly at: number; readonly end: number }): PlainNode {
  return { kind: value === null ? 'null' : 'flag', value, ...where }
}
