// Cells → lines in columns.

/** Three spaces between columns, none at the end of a line. */
export function aligned(lines: readonly (readonly string[])[]): readonly string[] {
  const widths = (lines[0] ?? []).map((_, i) => lines.reduce((widest, cells) => Math.max(widest, cells[i]!.length), 0))
  return lines.map(cells =>
    cells
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('   ')
      .trimEnd(),
  )
}
