import { ParseError, type Place, START } from './parse-error.ts'

// A line ⇄ its words, with the quoting rules of iptables-restore and the quoting habits of iptables-save.

export interface Word {
  /** The word with its quotes and escapes resolved. */
  readonly text: string
  /** Where it starts in the line, from 0. */
  readonly at: number
  /** Behind its last character. */
  readonly end: number
  /** Written in quotes: never an option, whatever it looks like. */
  readonly quoted: boolean
}

const TAB = 9
const NEWLINE = 10
const RETURN = 13
const SPACE = 32
const QUOTE = 34
const BACKSLASH = 92

/** The words of a line. `"` opens quotes, the closing `"` ends the word, a backslash escapes inside quotes only. */
export function words(line: string, from: Place = START): readonly Word[] {
  const found: Word[] = []
  let at = 0
  while (at < line.length) {
    if (isBlank(line.charCodeAt(at))) at++
    else {
      const word = wordAt(line, at, from)
      found.push(word)
      at = word.end
    }
  }
  return found
}

export function isBlank(code: number): boolean {
  return code === SPACE || code === TAB || code === NEWLINE || code === RETURN
}

/** Where the quotes that open at `open` close, or -1. */
export function closingQuote(line: string, open: number): number {
  let at = open + 1
  for (; at < line.length; at++) {
    const code = line.charCodeAt(at)
    if (code === QUOTE) return at
    if (code === BACKSLASH) at++
  }
  return -1
}

function wordAt(line: string, at: number, from: Place): Word {
  let end = at
  for (; end < line.length; end++) {
    const code = line.charCodeAt(end)
    if (isBlank(code)) break
    if (code === QUOTE) return quotedWord(line, { at, open: end }, from)
  }
  return { text: line.slice(at, end), at, end, quoted: false }
}

function quotedWord(line: string, { at, open }: { at: number; open: number }, from: Place): Word {
  const close = closingQuote(line, open)
  if (close < 0) throw new ParseError(UNTERMINATED, { line: from.line, column: from.column + open })
  const inside = line.slice(open + 1, close)
  const text = inside.includes('\\') ? inside.replace(/\\(.)/gs, '$1') : inside
  return { text: line.slice(at, open) + text, at, end: close + 1, quoted: true }
}

export const UNTERMINATED = 'this quote is never closed'

/** As iptables-save writes a comment or a log prefix: bare where it is safe, else quoted with `"`, `\` and `'` escaped. */
export function quote(text: string): string {
  return /^[\w-]+$/.test(text) ? text : `"${text.replace(/["\\']/g, '\\$&')}"`
}

/** As iptables-save writes a pattern to search for: quoted even where a bare word would do, and `'` is not escaped. */
export function alwaysQuoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}

/** As iptables-save writes a name or a number: as it stands, unless it would not come back as this one word. */
export function bare(text: string): string {
  return /^[^\s"]+$/.test(text) ? text : quote(text)
}

/** The same behind an unknown option, where a value that looks like an option would be one. */
export function bareValue(text: string): string {
  return text === '!' || text.startsWith('-') ? alwaysQuoted(text) : bare(text)
}
