import { describe, expect, test } from 'vitest'
import { type Attempt, lostAmong, outageMs, steadyEnd } from '../../../../bench/node/client/attempts.ts'

// A connection every 3 ms: `a` was answered, `r` refused, `-` neither.

const ENDS: Readonly<Record<string, string>> = { a: 'answered', r: 'ECONNREFUSED', '-': 'silence' }

function attempts(drawn: string): readonly Attempt[] {
  return [...drawn].map((end, i) => ({ at: 1000 + 3 * i, end: ENDS[end]! }))
}

describe('connections are lost', () => {
  test.each([
    ['rrraaa', 0, 0],
    ['aaarrr', 0, 0],
    ['rrrr', 0, 0],
    ['rr---aaa', 3, 9],
    ['aa-rr', 1, 3],
    ['rr-a--aa-', 4, 6],
    ['rr--', 2, 3],
    ['', 0, 0],
  ])('in %s: %i', (drawn, count, longestMs) => {
    expect(lostAmong(attempts(drawn))).toEqual({ count, longestMs })
  })

  test('where they are refused between two that are answered', () => {
    expect(lostAmong(attempts('rraarraa'))).toEqual({ count: 2, longestMs: 6 })
  })
})

describe('an outage', () => {
  test('lasts from the first that was not answered to the first after the last', () => {
    expect(outageMs(attempts('aa---aa'))).toBe(9)
    expect(outageMs(attempts('aa-a-aa'))).toBe(9)
    expect(outageMs(attempts('aarraa'))).toBe(6)
  })

  test('that no client noticed lasted for no time', () => {
    expect(outageMs(attempts('aaa'))).toBe(0)
  })

  test('without an end is null', () => {
    expect(outageMs(attempts('aa--'))).toBeNull()
  })
})

describe('a steady end', () => {
  test('is that of all attempts for long enough', () => {
    expect(steadyEnd(attempts('rraaaa'), 9)).toBe('answered')
    expect(steadyEnd(attempts('aarrrr'), 9)).toBe('ECONNREFUSED')
  })

  test('is none where the last changed too recently, or too few were made', () => {
    expect(steadyEnd(attempts('rrraaa'), 9)).toBeUndefined()
    expect(steadyEnd(attempts('aaa'), 9)).toBeUndefined()
    expect(steadyEnd([], 9)).toBeUndefined()
  })
})
