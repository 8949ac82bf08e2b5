import fc from 'fast-check'
import { expect, test } from 'vitest'
import { same } from '#values/same.ts'

// Whether two plain values are equal: what is taken for equal is not written again.

test.each([
  [{ a: 1 }, { a: 2 }],
  [{ a: 1 }, { b: 1 }],
  [{ a: undefined }, { b: undefined }],
  [{ a: 1 }, { a: 1, b: undefined }],
  [
    [1, 2],
    [2, 1],
  ],
  [[1], [1, 1]],
  [[], {}],
  [['a'], { 0: 'a' }],
  [{}, null],
  [null, undefined],
  [0, '0'],
  [1, true],
  [{ toString: 1 }, {}],
])('%j and %j differ, whichever is asked first', (a, b) => {
  expect([same(a, b), same(b, a)]).toEqual([false, false])
})

test('a copy is equal whatever order its keys are in, and a copy with one change is not', () => {
  const plain = fc.jsonValue({ maxDepth: 3 })
  const turned = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(turned)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, part]) => [key, turned(part)]),
    )
  }
  fc.assert(
    fc.property(plain, value => {
      expect(same(value, turned(value))).toBe(true)
      expect(same({ at: [value] }, { at: [[value]] })).toBe(false)
      expect(same({ at: [value] }, { at: [value, value] })).toBe(false)
    }),
  )
})

test('two values are equal just where their sorted JSON is', () => {
  const small = fc.jsonValue({ maxDepth: 2, stringUnit: fc.constantFrom('a', 'b') })
  const json = (value: unknown): string =>
    JSON.stringify(value, (_, part) =>
      typeof part === 'object' && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
        : part,
    )
  fc.assert(
    fc.property(small, small, (a, b) => {
      expect(same(a, b)).toBe(json(a) === json(b))
    }),
  )
})
