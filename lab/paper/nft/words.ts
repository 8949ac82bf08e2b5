import { syntax } from './refusal.ts'

// A line of a script → its words, read one after the other. What stands in quotes is one word, without them.

export class NftWords {
  readonly #words: readonly string[]
  #next = 0

  constructor(line: string) {
    this.#words = line.match(/"[^"]*"|\S+/g) ?? []
  }

  get over(): boolean {
    return this.#next >= this.#words.length
  }

  peek(): string | undefined {
    return this.#words[this.#next]
  }

  take(): string {
    const word = this.#words[this.#next++]
    if (word === undefined) throw syntax(undefined)
    return word.replace(/^"(.*)"$/, '$1')
  }

  /** Whether the next word is this one, which is taken then. */
  skip(word: string): boolean {
    if (this.peek() !== word) return false
    this.#next++
    return true
  }

  expect(word: string): void {
    if (!this.skip(word)) throw syntax(this.peek())
  }

  number(): number {
    const word = this.take()
    const value = Number(word)
    if (!/^(0x[\da-f]+|\d+)$/.test(word)) throw syntax(word)
    return value
  }

  /** The items between braces: `{ a , b }`. */
  *items(): Iterable<NftWords> {
    this.expect('{')
    let words: string[] = []
    for (let depth = 1; ; ) {
      const word = this.#words[this.#next++]
      if (word === undefined) throw syntax(undefined)
      if (word === '{') depth++
      if (word === '}') depth--
      if (depth === 0 || (depth === 1 && word === ',')) {
        yield new NftWords(words.join(' '))
        if (depth === 0) return
        words = []
      } else words.push(word)
    }
  }

  refuseRest(): void {
    if (!this.over) throw syntax(this.peek())
  }
}
