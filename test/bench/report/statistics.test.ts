import { describe, expect, test } from 'vitest'
import { largest, median, quantile, spreadOf } from '../../../bench/report/statistics.ts'

describe('a quantile', () => {
  test('is one of the samples, in whatever order they came', () => {
    expect(quantile([30, 10, 20, 40], 0.5)).toBe(30)
    expect(median([3, 1, 2])).toBe(2)
    expect(quantile([5], 0.99)).toBe(5)
  })

  test('of a hundred samples at 0.99 is the largest', () => {
    const samples = Array.from({ length: 100 }, (_, i) => i)
    expect(spreadOf(samples)).toEqual({ p50: 50, p99: 99 })
  })

  test('counts a sample that never came as larger than all others', () => {
    expect(median([null, 10, 20])).toBe(20)
    expect(median([null, null, 20])).toBeNull()
    expect(largest([null, 10])).toBeNull()
  })

  test('of nothing is undefined', () => {
    expect(median([])).toBeUndefined()
    expect(largest([])).toBeUndefined()
  })
})
