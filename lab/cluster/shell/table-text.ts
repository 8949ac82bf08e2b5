// A Table of the API server → the text of it, as kubectl get -o wide prints it.

export interface Table {
  readonly columnDefinitions: readonly { readonly name: string }[]
  readonly rows?: readonly { readonly cells: readonly unknown[] }[]
}

const GAP = 3

export function tableText({ columnDefinitions, rows = [] }: Table): string {
  if (rows.length === 0) return 'No resources found.'
  const lines = [columnDefinitions.map(({ name }) => name.toUpperCase()), ...rows.map(({ cells }) => cells.map(String))]
  const widths = columnDefinitions.map((_, i) => Math.max(...lines.map(line => (line[i] ?? '').length)))
  return lines
    .map(line =>
      line
        .map((cell, i) => cell.padEnd(widths[i]! + GAP))
        .join('')
        .trimEnd(),
    )
    .join('\n')
}
