import { fillText, WINDOW_DAYS } from './fill-estimate.ts'
import type { RangeOverview } from './overview.ts'
import type { RangeRow } from './range-rows.ts'

// The table of `ranges`: a line for each range, its parts indented below it, numbers to the right; then what is to be looked at.

interface Column {
  readonly title: string
  readonly align: 'left' | 'right'
  readonly cell: (row: RangeRow) => string
}

const NONE = '-'

const COLUMNS: readonly Column[] = [
  { title: 'WHAT', align: 'left', cell: nameCell },
  { title: 'RANGE', align: 'left', cell: ({ range }) => range },
  { title: 'SIZE', align: 'right', cell: ({ size }) => countText(size) },
  { title: 'USED', align: 'right', cell: ({ used }) => (used === undefined ? NONE : countText(used)) },
  { title: 'FREE', align: 'right', cell: ({ free }) => (free === undefined ? NONE : countText(free)) },
  { title: 'OF', align: 'left', cell: ({ unit }) => unit },
  { title: 'LARGEST FREE', align: 'left', cell: ({ largestFree }) => largestFree ?? NONE },
  { title: 'FULL', align: 'left', cell: ({ full }) => (full === undefined ? NONE : fillText(full)) },
]

export function overviewText({ rows, warnings }: RangeOverview): string {
  if (rows.length === 0) return 'There are no ranges.'
  const lines = table(rows)
  const notes = [
    ...new Set(rows.flatMap(({ kind, from }) => (from === undefined ? [] : [`${TITLES[kind]}: ${from}.`]))),
  ]
  return [
    ...lines,
    '',
    ...notes,
    `FULL: if as many are added as in the last ${WINDOW_DAYS} days, by the creation times of what is there now; since deletions are not seen, it is the earliest date.`,
    ...warnings.map(warning => `Warning: ${warning}`),
  ].join('\n')
}

function table(rows: readonly RangeRow[]): readonly string[] {
  const cells = [COLUMNS.map(({ title }) => title), ...rows.map(row => COLUMNS.map(({ cell }) => cell(row)))]
  const widths = COLUMNS.map((_, i) => cells.reduce((most, line) => Math.max(most, line[i]!.length), 0))
  return cells.map(line =>
    line
      .map((cell, i) => (COLUMNS[i]!.align === 'right' ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('   ')
      .trimEnd(),
  )
}

const TITLES: Readonly<Record<RangeRow['kind'], string>> = {
  cluster: 'Cluster CIDR',
  node: 'node',
  ring: 'Ring',
  peer: 'peer',
  services: 'Service CIDR',
  'node-ports': 'Node ports',
  band: '',
}

function nameCell({ kind, name }: RangeRow): string {
  if (kind === 'band') return `  ${name}`
  return kind === 'node' || kind === 'peer' ? `  ${TITLES[kind]} ${name}` : TITLES[kind]
}

/** What an IPv6 range has is no number to read: `2^64`, rounded. */
const LONGEST = 10n ** 12n

function countText(count: bigint): string {
  return count < LONGEST ? String(count) : `2^${Math.round(Math.log2(Number(count)))}`
}
