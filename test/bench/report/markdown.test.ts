import { describe, expect, test } from 'vitest'
import { cell, grouped, markdownTable, ratio, type Unit } from '../../../bench/report/markdown.ts'

test('a table has a head, a line under it, and its rows', () => {
  expect(
    markdownTable(
      ['', 'ours'],
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ),
  ).toBe('|  | ours |\n| --- | --- |\n| a | 1 |\n| b | 2 |')
})

describe('a cell', () => {
  test.each<[number, Unit, string]>([
    [1234, 's', '1.2 s'],
    [12_345, 's', '12 s'],
    [87, 's', '0.09 s'],
    [4.26, 'ms', '4.3 ms'],
    [97.4, 'ms', '97 ms'],
    [9.96, 'ms', '10 ms'],
    [0.998, 'ms', '1.0 ms'],
    [0, 'ms', '0 ms'],
    [0.153, '%', '0.15 %'],
    [160.4, 'MiB', '160 MiB'],
    [9, 'count', '9'],
  ])('of %d in %s is %s', (value, unit, text) => {
    expect(cell(value, unit)).toBe(text)
  })

  test('says what was not measured, and what never came', () => {
    expect(cell(undefined, 'ms')).toBe('-')
    expect(cell(null, 'ms')).toBe('never')
  })
})

test('a ratio has two digits, and there is none to nothing', () => {
  expect(ratio(50, 97)).toBe('0.52')
  expect(ratio(0, 97)).toBe('0.00')
  expect(ratio(50, 0)).toBe('-')
  expect(ratio(50, null)).toBe('-')
  expect(ratio(undefined, 97)).toBe('-')
})

test('large numbers are written in groups', () => {
  expect(grouped(10_000)).toBe('10,000')
  expect(grouped(100)).toBe('100')
})
