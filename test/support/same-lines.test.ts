import { expect, test } from 'vitest'
import { LinesDiffer, sameLines } from './same-lines.ts'

function difference(actual: string, expected: string): LinesDiffer {
  try {
    sameLines(actual, expected)
  } catch (error) {
    if (error instanceof LinesDiffer) return error
    throw error
  }
  throw new Error('no difference was found')
}

test('the same lines are the same, whatever empty lines stand between them', () => {
  sameLines('a\nb\n', '\na\n\nb')
  sameLines('', '\n')
})

test('an error shows the lines that differ and no others', () => {
  const { missing, extra, message } = difference('a\nx\nc', 'a\nb\nc')
  expect({ missing, extra }).toEqual({ missing: ['b'], extra: ['x'] })
  expect(message).toBe('the lines differ: {\n  "missing": [\n    "b"\n  ],\n  "extra": [\n    "x"\n  ]\n}')
})

test('lines count as often as they stand there', () => {
  const { missing, extra } = difference('a\na\nb', 'a\nb\nb\nb')
  expect({ missing, extra }).toEqual({ missing: ['b', 'b'], extra: ['a'] })
})

test('the first line out of order is shown where all lines are there', () => {
  const { missing, extra, message } = difference('a\nc\nb', 'a\nb\nc')
  expect({ missing, extra }).toEqual({ missing: [], extra: [] })
  expect(message).toContain('"order": "line 2 is \\"c\\", and should be \\"b\\""')
})

test('a thousand different lines are not all shown', () => {
  const many = Array.from({ length: 1000 }, (_, i) => `line ${i}`).join('\n')
  const { extra, message } = difference(many, '')
  expect(extra).toHaveLength(1000)
  expect(message).toContain('… and 980 more')
  expect(message.split('\n').length).toBeLessThan(30)
})
