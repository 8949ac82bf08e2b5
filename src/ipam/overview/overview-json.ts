import type { RangeOverview } from './overview.ts'
import type { RangeRow } from './range-rows.ts'

// The same for programs: every number in full, and the estimate with its rate.

export function overviewJson({ rows, warnings }: RangeOverview): string {
  return JSON.stringify({ ranges: rows.map(rowJson), warnings }, undefined, 2)
}

function rowJson({ kind, name, range, unit, size, used, free, largestFree, full, from }: RangeRow): object {
  return {
    kind,
    ...(name !== '' && { name }),
    ...{
      range,
      unit,
      size: whole(size),
      used: used === undefined ? undefined : whole(used),
      free: free === undefined ? undefined : whole(free),
      largestFree,
    },
    ...(full !== undefined && { full }),
    ...(from !== undefined && { from }),
  }
}

/** As text where a double cannot hold every digit. */
function whole(value: bigint): number | string {
  return value <= Number.MAX_SAFE_INTEGER ? Number(value) : String(value)
}
