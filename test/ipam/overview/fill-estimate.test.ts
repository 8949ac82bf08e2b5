import { expect, test } from 'vitest'
import { fillEstimate, fillText } from '#ipam/overview/fill-estimate.ts'
import { DAY, NOW } from './facts.ts'

const ago = (...days: readonly number[]) => days.map(day => NOW - day * DAY)
const text = (created: readonly (number | undefined)[], free: bigint, age = 300) =>
  fillText(fillEstimate({ created, free, since: NOW - age * DAY, now: NOW }))

test('what was added in the last 30 days goes on', () => {
  expect(fillEstimate({ created: ago(1, 2, 3, 200), free: 50n, since: NOW - 300 * DAY, now: NOW })).toEqual({
    when: 'later',
    days: 500,
    perDay: 0.1,
  })
})

test.each([
  [ago(1), 0n, 300, 'now'],
  [ago(100), 5n, 300, 'never'],
  [[], 5n, 300, 'never'],
  [ago(0.1, 0.2), 5n, 0.5, '-'],
  [[undefined, undefined], 5n, 300, 'never'],
  [ago(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), 1n, 30, 'in 3 d'],
  [ago(1, 2, 3, 4), 20n, 5, 'in 25 d'],
  [ago(1), 5n, 300, 'in 4 months'],
  [ago(1), 100n, 300, 'in 8 y'],
  [ago(1), 10_000_000n, 300, '> 100 y'],
] as const)('made at %o with %d free, in a cluster of %d days: %s', (created, free, age, expected) => {
  expect(text(created, free, age)).toBe(expected)
})

test('what was there when the cluster began is no growth', () => {
  expect(text(ago(10, 10, 10), 100n, 10)).toBe('never')
})

test('without any creation time nothing is said', () => {
  expect(fillText(fillEstimate({ created: [], free: 1n, since: undefined, now: NOW }))).toBe('-')
})
