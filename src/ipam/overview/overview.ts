import type { ClusterFacts } from './cluster-facts.ts'
import { nodeRows } from './node-rows.ts'
import type { RangeRow } from './range-rows.ts'
import { ringRows } from './ring-rows.ts'
import { serviceRows } from './service-rows.ts'
import { overlapWarnings } from './warnings/overlaps.ts'
import { shortageWarnings } from './warnings/shortages.ts'

/** All ranges of a cluster, and what an operator should look at. */
export interface RangeOverview {
  readonly rows: readonly RangeRow[]
  readonly warnings: readonly string[]
}

export function rangeOverview(facts: ClusterFacts, now: number): RangeOverview {
  const rows = [...nodeRows(facts, now), ...ringRows(facts), ...serviceRows(facts, now)]
  return { rows, warnings: [...overlapWarnings(facts), ...shortageWarnings(facts, rows)] }
}
