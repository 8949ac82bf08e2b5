// Settings of the log → the verbosity of each file that logs.

export interface VerbosityOptions {
  readonly verbosity: number
  /** Another verbosity for files whose name, without its ending, matches; the first match counts. */
  readonly vmodule?: readonly { readonly pattern: string; readonly verbosity: number }[]
}

/** The verbosity at a site, `report.ts:12`; each file is matched once. */
export function verbosityBySite({ verbosity, vmodule = [] }: VerbosityOptions): (site: string) => number {
  const rules = vmodule.map(rule => ({ expression: expressionOf(rule.pattern), verbosity: rule.verbosity }))
  const known = new Map<string, number>()
  return site => {
    const file = site.replace(/:\d+$/, '').replace(/\.[^.]*$/, '')
    const before = known.get(file)
    if (before !== undefined) return before
    const found = rules.find(({ expression }) => expression.test(file))?.verbosity ?? verbosity
    known.set(file, found)
    return found
  }
}

/** `report` and `rep*` match the file `report`; `?` stands for one character. */
function expressionOf(pattern: string): RegExp {
  const text = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${text}$`)
}
