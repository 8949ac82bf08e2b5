import { ParseError, type Place } from './parse-error.ts'
import { type Word, words } from './words.ts'

// The words of one rule, taken one after the other: an option, its values, a `!` on the way.

/** A word that starts an option: `--dport`, or `--dport=80` with its first value inline. */
export interface Flag {
  readonly name: string
  readonly inline: readonly string[]
  readonly word: Word
}

export class Cursor {
  readonly #words: readonly Word[]
  readonly #from: Place
  #next = 0
  #bang: Word | undefined

  constructor(text: string, from: Place) {
    this.#from = from
    this.#words = words(text, from)
  }

  /** The next option; a `!` before it is kept until `takeBang`. */
  flag(): Flag | undefined {
    const word = this.#words[this.#next++]
    if (word === undefined) {
      if (this.#bang !== undefined) throw this.error('"!" negates nothing: an option must follow', this.#bang)
      return undefined
    }
    if (word.quoted || (word.text !== '!' && !word.text.startsWith('-')))
      throw this.error(`"${word.text}" follows no option`, word)
    if (word.text !== '!') return flagOf(word)
    if (this.#bang !== undefined) throw this.error('a second "!" in a row', word)
    this.#bang = word
    return this.flag()
  }

  /** Whether a `!` stood before the option. */
  takeBang(): boolean {
    const negated = this.#bang !== undefined
    this.#bang = undefined
    return negated
  }

  refuseBang(flag: Flag): void {
    if (this.#bang !== undefined) throw this.error(`${flag.name} cannot be negated`, this.#bang)
  }

  /** The one value of an option. */
  value(flag: Flag): string {
    return this.values(flag, 1)[0]!
  }

  values(flag: Flag, count: number): readonly string[] {
    const values = [...flag.inline]
    if (values.length > count) throw this.error(`${flag.name} takes no value`, flag.word)
    while (values.length < count) {
      const word = this.#words[this.#next++]
      if (word === undefined)
        throw this.error(`${flag.name} needs ${count === 1 ? 'a value' : `${count} values`}`, flag.word)
      values.push(word.text)
    }
    return values
  }

  /** What follows an option the parser does not know, up to the next word that looks like an option. */
  looseValues(flag: Flag): readonly string[] {
    const from = this.#next
    while (this.#next < this.#words.length && isValue(this.#words[this.#next]!)) this.#next++
    return [...flag.inline, ...this.#words.slice(from, this.#next).map(word => word.text)]
  }

  error(problem: string, word: Word): ParseError {
    return new ParseError(problem, this.place(word))
  }

  place(word: Word): Place {
    return { line: this.#from.line, column: this.#from.column + word.at }
  }
}

function flagOf(word: Word): Flag {
  const equals = word.text.startsWith('--') ? word.text.indexOf('=') : -1
  if (equals < 0) return { name: word.text, inline: [], word }
  return { name: word.text.slice(0, equals), inline: [word.text.slice(equals + 1)], word }
}

function isValue({ text, quoted }: Word): boolean {
  return quoted || (text !== '!' && (!text.startsWith('-') || /^-\d/.test(text)))
}
