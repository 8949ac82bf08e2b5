import { wrapped } from './wrapped.ts'

// What a session says → standard output: on a terminal in colour, to its width, with one line of progress that is written anew;
// elsewhere plain lines.

export interface TerminalParts {
  /** False where the reader is gone. */
  readonly write: (text: string) => boolean
  readonly kind: 'terminal' | 'pipe'
  /** Columns; those of a pipe have no end. */
  readonly width: () => number
  readonly env: Readonly<Record<string, string | undefined>>
  readonly output: 'all' | 'quiet'
}

const STYLES = { bold: '1', dim: '2', green: '32', cyan: '36', yellow: '33' } as const

/** Longer lines of prose are hard to read. */
const PROSE = 100
const CLEAR_LINE = '\r\x1b[K'

export class Terminal {
  readonly #parts: TerminalParts
  readonly #isColoured: boolean
  #progress = ''

  constructor(parts: TerminalParts) {
    this.#parts = parts
    const { kind, env } = parts
    this.#isColoured = kind === 'terminal' && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb'
  }

  /** What is done now. The next progress or line takes its place on a terminal. */
  progress(doing: string): void {
    if (this.#parts.output === 'quiet' || doing === this.#progress) return
    if (this.#parts.kind === 'pipe') this.#parts.write(`${doing}\n`)
    else this.#parts.write(`${CLEAR_LINE}${this.style('dim', this.#cut(`… ${doing}`))}`)
    this.#progress = doing
  }

  /** Nothing of the progress is left on a terminal. */
  settle(): void {
    if (this.#progress !== '' && this.#parts.kind === 'terminal') this.#parts.write(CLEAR_LINE)
    this.#progress = ''
  }

  say(paragraph: string): void {
    this.lines(wrapped(paragraph, Math.min(PROSE, this.#parts.width())))
  }

  /** As a shell shows it. */
  command(line: string): void {
    this.#put([`${this.style('green', '$')} ${this.style('bold', line)}`])
  }

  /** Whole where they fit, and cut where they would break. */
  lines(lines: readonly string[]): void {
    this.#put(lines.map(line => this.#cut(line)))
  }

  style(name: keyof typeof STYLES, text: string): string {
    return this.#isColoured ? `\x1b[${STYLES[name]}m${text}\x1b[0m` : text
  }

  #put(lines: readonly string[]): void {
    if (this.#parts.output === 'quiet') return
    this.settle()
    this.#parts.write(lines.map(line => `${line}\n`).join(''))
  }

  #cut(line: string): string {
    const width = this.#parts.width()
    // Colours take no room; a line that has some is short.
    if (line.length <= width || line.includes('\x1b')) return line
    return `${line.slice(0, width - 1)}…`
  }
}
