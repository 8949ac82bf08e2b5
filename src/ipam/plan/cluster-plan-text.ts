import type { ClusterPlan, PlanRow } from './cluster-plan.ts'

// A plan → a table of what fits, and then what runs out first; or JSON.

export function clusterPlanText({ rows, first, warnings }: ClusterPlan): string {
  return [...table(rows), '', first, ...warnings.map(warning => `Warning: ${warning}`)].join('\n')
}

const LONGEST = 10n ** 12n

/** What an IPv6 range has is no number to read. */
function countText(count: bigint | undefined): string {
  if (count === undefined) return '-'
  return count < LONGEST ? String(count) : `2^${Math.round(Math.log2(Number(count)))}`
}

function table(rows: readonly PlanRow[]): readonly string[] {
  const lines = [
    ['WHAT', 'RANGE', 'FITS', 'WANTED', 'NOTE'],
    ...rows.map(({ what, range, fits, wanted, note }) => [what, range, countText(fits), countText(wanted), note]),
  ]
  const widths = [0, 1, 2, 3, 4].map(i => Math.max(...lines.map(cells => cells[i]!.length)))
  const isNumber = (i: number) => i === 2 || i === 3
  return lines.map(cells =>
    cells
      .map((cell, i) => (isNumber(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('   ')
      .trimEnd(),
  )
}

export function clusterPlanJson(plan: ClusterPlan): string {
  return JSON.stringify(
    plan,
    (_, value: unknown) =>
      typeof value !== 'bigint' ? value : Number.isSafeInteger(Number(value)) ? Number(value) : String(value),
    2,
  )
}
