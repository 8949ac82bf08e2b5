import { expect, test } from 'vitest'
import { aligned } from '#ipam/table/aligned.ts'

test('columns are as wide as their widest cell, and no line ends with spaces', () => {
  expect(
    aligned([
      ['IP', 'STATUS', 'POD'],
      ['10.244.0.10', 'FREE', ''],
      ['::', '', 'x'],
    ]),
  ).toEqual(['IP            STATUS   POD', '10.244.0.10   FREE', '::                     x'])
})

test('there may be no lines', () => {
  expect(aligned([])).toEqual([])
})

test('and more of them than a function takes arguments', () => {
  expect(aligned(Array.from({ length: 300_000 }, (_, i) => [`${i}`, 'x']))).toHaveLength(300_000)
})
