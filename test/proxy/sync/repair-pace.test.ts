import { expect, test } from 'vitest'
import { RepairPace } from '#proxy/sync/repair-pace.ts'

/** When each of these changes asks for its repair, where a run follows every one at once. */
function fought(times: number, everyMs: number): readonly number[] {
  const pace = new RepairPace(30_000)
  const waits: number[] = []
  let now = 0
  for (let i = 0; i < times; i++) {
    const at = pace.changed(now)
    waits.push(at - now)
    pace.runs(at)
    now = at + everyMs
  }
  return waits
}

test('a change is repaired at once', () => {
  const pace = new RepairPace(30_000)
  expect(pace.changed(1000)).toBe(1000)
  pace.runs(1000)
  expect(pace.changed(2000)).toBe(2000)
})

test('a burst is repaired a moment after its last change, and every two seconds while it lasts', () => {
  const pace = new RepairPace(30_000)
  expect([0, 50, 100].map(now => pace.changed(now))).toEqual([0, 250, 300])
  expect([1900, 1950, 2000].map(now => pace.changed(now))).toEqual([1900, 2000, 2000])
  pace.runs(2000)
  expect([2050, 2100].map(now => pace.changed(now))).toEqual([2250, 2300])
})

test('two programs that claim the same rules do not keep each other busy', () => {
  expect(fought(17, 300)).toEqual([
    ...Array.from({ length: 10 }, () => 0),
    ...[200, 700, 1700, 3700, 7700, 15_700, 29_700],
  ])
  expect(fought(12, 61_000).every(wait => wait === 0)).toBe(true)
})
