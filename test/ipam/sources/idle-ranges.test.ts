import { expect, test } from 'vitest'
import type { RingRange } from '#ipam/ring/ring.ts'
import { idleRanges } from '#ipam/sources/idle-ranges.ts'

/** Ranges of sixteen addresses; of each, how many are used. */
function idle(...used: readonly number[]): readonly number[] {
  const owned = used.map((_, i) => ({ start: 16 * i, end: 16 * (i + 1) }))
  const freeIn = (ranges: readonly RingRange[]) =>
    ranges.flatMap(({ start, end }) => (used[start / 16] === 16 ? [] : [{ start: start + used[start / 16]!, end }]))
  return idleRanges(owned, freeIn).map(({ start }) => start / 16)
}

test('what is not used at all goes back, where a quarter of the rest is free', () => {
  expect(idle(12, 0, 0)).toEqual([1, 2])
  expect(idle(13, 0, 0)).toEqual([])
  expect(idle(16, 8, 0)).toEqual([2])
  expect(idle(16, 9, 0)).toEqual([])
})

test('a node keeps all where nothing of it is used: it would have none for the next pod', () => {
  expect([idle(0, 0), idle()]).toEqual([[], []])
})

test('what is used at all stays, however little it is', () => {
  expect(idle(1, 1)).toEqual([])
})
