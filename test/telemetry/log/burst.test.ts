import { expect, test } from 'vitest'
import { burstLines } from '#telemetry/log/burst.ts'

const lines = (count: number) => Array.from({ length: count }, (_, i) => `line ${i + 1}`)

test('a hundred lines are logged one by one', () => {
  const hundred = lines(100)
  expect(burstLines(hundred, 'services added')).toBe(hundred)
  expect(burstLines([], 'services added')).toEqual([])
})

test('of more, the rest is one line that counts it', () => {
  const shown = burstLines(lines(5000), 'services added')
  expect(shown).toHaveLength(101)
  expect(shown.slice(0, 100)).toEqual(lines(100))
  expect(shown[100]).toBe('… and 4900 more services added')
})

test('the limit can be another', () => {
  expect(burstLines(lines(4), 'chains', 2)).toEqual(['line 1', 'line 2', '… and 2 more chains'])
})
