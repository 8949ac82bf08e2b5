import { NEARLY_FULL } from '#ipam/table/fullness.ts'

// How full a range set is → a level, which a pod or two that come and go do not change.

export type Level = 'roomy' | 'near' | 'full'

/** In per cent. A set that goes up and down by a pod or two is not reported each time: a level ends five points below. */
const BEGINS: Readonly<Record<Level, number>> = { roomy: 0, near: NEARLY_FULL, full: 100 }
const ENDS_BELOW: Readonly<Record<Level, number>> = { roomy: 0, near: NEARLY_FULL - 5, full: 95 }

export function levelAfter(level: Level, full: number): Level {
  if (full >= BEGINS.full) return 'full'
  if (full >= ENDS_BELOW[level]) return level === 'roomy' && full >= BEGINS.near ? 'near' : level
  return full >= BEGINS.near ? 'near' : full >= ENDS_BELOW.near && level !== 'roomy' ? 'near' : 'roomy'
}
