import type { Row } from './rows.ts'

// What was tried and how it went ⇄ the table, as Markdown.

export interface Column {
  readonly minor: string
  /** None where this kubectl could not be had, for that reason. */
  readonly results: readonly string[]
  readonly why?: string
}

export const INTRODUCTION = `# What was tried with kubectl

In a cluster of the lab, with the kubectl of Debian 12 (1.20) and a new one (1.35), by \`test/kernel/cluster/kubectl.test.ts\`, in this
order; \`rows.ts\` beside this file has the whole commands and what they must print. What helm renders of
\`fixtures/chart/\` is kept beside it, so that it is applied also where helm cannot be had.`

export function tableText(rows: readonly Row[], columns: readonly Column[]): string {
  const lines = rows.map(({ does }, at) => [
    shown(does),
    ...columns.map(({ results, why }) => results[at] ?? why ?? ''),
  ])
  const head = ['', ...columns.map(({ minor }) => minor)]
  return [head, head.map(() => '---'), ...lines].map(cells => `| ${cells.join(' | ')} |`).join('\n')
}

/** `kubectl apply`, a conflict */
function shown(does: string): string {
  const [command, ...more] = does.split(', ')
  return [`\`kubectl ${command}\``, ...more].join(', ')
}

/** The cells of the column of this version, from the text of the table. */
export function columnIn(text: string, minor: string): readonly string[] {
  const lines = text.split('\n').filter(line => line.startsWith('|'))
  const cells = lines.map(line =>
    line
      .slice(1, -1)
      .split('|')
      .map(cell => cell.trim()),
  )
  const at = cells[0]?.indexOf(minor) ?? -1
  return cells.slice(2).map(row => row[at] ?? '')
}

export function named(rows: readonly Row[], results: readonly string[]): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(rows.map(({ does }, at) => [does, results[at]]))
}
