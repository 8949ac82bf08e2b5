import type { PlainNode } from './node.ts'
import type { Scanner } from './scanner.ts'

// A text in quotes → its value, whichever quotes they are, and also where the closing one is missing.

const ESCAPES: Readonly<Record<string, string>> = {
  ...{ '"': '"', '\\': '\\', '/': '/' },
  ...{ b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' },
}

/** The quotes of word processors. */
const CURLY = '\u201c\u201d\u201e\u201f\u00ab\u00bb\u2018\u2019'

export function startsText(character: string): boolean {
  return character !== '' && `"'\`${CURLY}`.includes(character)
}

export function readText(scanner: Scanner): PlainNode {
  const at = scanner.at
  const quote = scanner.next
  const closing = CURLY.includes(quote) ? `${CURLY}"` : quote
  if (quote !== '"') {
    const name = CURLY.includes(quote) ? 'quotes of a word processor' : 'other quotes'
    scanner.problem(at, `${quote} begins a text in ${name}; JSON has " alone`)
  }
  scanner.step()
  let value = ''
  while (!closing.includes(scanner.next) || scanner.isAtEnd) {
    if (scanner.isAtEnd || scanner.isAtLineEnd) {
      scanner.problem(at, 'the text that begins here has no quote at its end')
      return { kind: 'text', at, end: scanner.at, value: value.trimEnd().replace(/,$/, '').trimEnd() }
    }
    value += readCharacter(scanner)
  }
  scanner.step()
  return withPrefix(scanner, { kind: 'text', at, end: scanner.at, value })
}

/** `"10.22.0.0"/16` */
function withPrefix(scanner: Scanner, node: PlainNode): PlainNode {
  const prefix = scanner.match(/\/\d+/y)
  if (prefix === undefined) return node
  const value = `${node.value}${prefix}`
  scanner.problem(node.end, `${prefix} belongs inside of the quotes; write ${JSON.stringify(value)}`)
  return { ...node, end: scanner.at, value }
}

function readCharacter(scanner: Scanner): string {
  const at = scanner.at
  const character = scanner.next
  scanner.step()
  if (character < ' ') {
    const code = character.charCodeAt(0).toString(16).padStart(4, '0')
    scanner.problem(at, `a text may not hold the character U+${code} as it is; write \\u${code}`)
  }
  if (character !== '\\') return character
  const hex = scanner.match(/u[0-9a-fA-F]{4}/y)
  if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex.slice(1), 16))
  const known = ESCAPES[scanner.next]
  if (known === undefined) {
    scanner.problem(at, `\\${scanner.next.trim()} means nothing in JSON; a backslash itself is written \\\\`)
    return '\\'
  }
  scanner.step()
  return known
}
