// Two texts that should be the same lines → nothing, or an error with the few lines that differ, never both texts.

/** How many lines of each kind an error shows. */
const SHOWN = 20

export class LinesDiffer extends Error {
  readonly missing: readonly string[]
  readonly extra: readonly string[]

  constructor(missing: readonly string[], extra: readonly string[], order?: string) {
    const body = { missing: shown(missing), extra: shown(extra), ...(order === undefined ? {} : { order }) }
    super(`the lines differ: ${JSON.stringify(body, null, 2)}`)
    this.name = 'LinesDiffer'
    this.missing = missing
    this.extra = extra
  }
}

/** The same lines, each as often, in the same order; empty lines do not count. */
export function sameLines(actual: string, expected: string): void {
  const is = linesOf(actual)
  const should = linesOf(expected)
  const missing = without(should, is)
  const extra = without(is, should)
  if (missing.length > 0 || extra.length > 0) throw new LinesDiffer(missing, extra)
  const at = is.findIndex((line, i) => line !== should[i])
  if (at >= 0) throw new LinesDiffer([], [], `line ${at + 1} is "${is[at]}", and should be "${should[at]}"`)
}

function linesOf(text: string): readonly string[] {
  return text.split('\n').filter(line => line !== '')
}

/** What is left of `lines` when each of `others` has taken one line like it away. */
function without(lines: readonly string[], others: readonly string[]): readonly string[] {
  const count = new Map<string, number>()
  for (const line of others) count.set(line, (count.get(line) ?? 0) + 1)
  return lines.filter(line => {
    const left = count.get(line) ?? 0
    count.set(line, left - 1)
    return left <= 0
  })
}

function shown(lines: readonly string[]): readonly string[] {
  return lines.length <= SHOWN ? lines : [...lines.slice(0, SHOWN), `… and ${lines.length - SHOWN} more`]
}
