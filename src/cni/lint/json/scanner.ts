// The characters of a file, from left to right, and what is wrong between the values: comments, and spaces that are none.

export interface SyntaxProblem {
  readonly at: number
  /** What is wrong, and what would be right. */
  readonly message: string
}

const SPACE = /[ \t\r\n]*/y
const OTHER_SPACE = /[\s\ufeff]/

export class Scanner {
  readonly text: string
  readonly problems: SyntaxProblem[] = []
  #at = 0

  constructor(text: string) {
    this.text = text
  }

  get at(): number {
    return this.#at
  }

  get isAtEnd(): boolean {
    return this.#at >= this.text.length
  }

  get isAtLineEnd(): boolean {
    return this.text.startsWith('\n', this.#at) || this.text.startsWith('\r\n', this.#at)
  }

  /** The next character; empty at the end. */
  get next(): string {
    return this.text.charAt(this.#at)
  }

  problem(at: number, message: string): void {
    this.problems.push({ at, message })
  }

  step(count = 1): void {
    this.#at += count
  }

  take(character: string): boolean {
    if (this.next !== character) return false
    this.step()
    return true
  }

  /** What matches here, and goes on behind it. The expression must be sticky. */
  match(expression: RegExp): string | undefined {
    expression.lastIndex = this.#at
    const found = expression.exec(this.text)?.[0]
    if (found !== undefined) this.#at += found.length
    return found
  }

  /** Over spaces, lines and comments. */
  skip(): void {
    for (;;) {
      this.match(SPACE)
      if (this.next !== '' && OTHER_SPACE.test(this.next)) {
        const code = this.next.charCodeAt(0).toString(16).padStart(4, '0')
        this.problem(this.#at, `the character U+${code} is no space of JSON; remove it, or write a plain space`)
        this.step()
      } else if (!this.#comment()) return
    }
  }

  #comment(): boolean {
    const at = this.#at
    if (this.match(/#[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/y) === undefined) return false
    this.problem(at, 'JSON has no comments; remove it')
    return true
  }
}
