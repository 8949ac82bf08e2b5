import { notUnderstood } from './refused.ts'

// A line of iptables-restore input ⇄ its words.

/**
 * Only double quotes quote, and only inside them a backslash escapes. A closing quote ends the word: `"a b"-j` is two
 * words; an opening one does not begin a word: `a"b c"` is one.
 */
export function wordsOf(line: string): readonly string[] {
  const words: string[] = []
  const pattern = /[ \t]*(?:([^ \t"]*)"((?:\\.|[^"\\])*)"|([^ \t"]+))/y
  while (pattern.lastIndex < line.length) {
    const at = pattern.lastIndex
    const match = pattern.exec(line)
    if (match === null) {
      if (line.slice(at).trim() === '') break
      throw notUnderstood(`a quote without its end in "${line}"`)
    }
    words.push(match[3] ?? match[1]! + match[2]!.replaceAll(/\\(.)/g, '$1'))
  }
  return words
}

/** As iptables-save writes text a user chose. */
export function quoted(text: string): string {
  return /^[\w-]+$/.test(text) ? text : `"${text.replaceAll(/["'\\]/g, '\\$&')}"`
}
