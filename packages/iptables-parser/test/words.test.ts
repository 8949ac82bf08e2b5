import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { words } from '../src/index.ts'
import { hostileText, quoted } from './arbitraries.ts'

const texts = (line: string) => words(line).map(({ text }) => text)

describe('words of a line', () => {
  test.each([
    ['-A  X\t-j Y ', ['-A', 'X', '-j', 'Y']],
    ['--comment "two words"', ['--comment', 'two words']],
    [String.raw`"a \" b" "c \\ d" "e \' f"`, ['a " b', 'c \\ d', "e ' f"]],
    ['""', ['']],
    ["it's a\\b", ["it's", 'a\\b']],
    ['"one"two"three" four', ['one', 'twothree', 'four']],
    ['', []],
  ])('%s', (line, expected) => expect(texts(line)).toEqual(expected))

  test('know where they stand and whether they were quoted', () => {
    expect(words('-j "X"')).toEqual([
      { text: '-j', at: 0, end: 2, quoted: false },
      { text: 'X', at: 3, end: 6, quoted: true },
    ])
  })

  test('come back from quotes, whatever they are', () => {
    fc.assert(
      fc.property(fc.array(hostileText), list => {
        expect(texts(list.map(quoted).join(' '))).toEqual(list)
      }),
    )
  })

  test('must close their quotes', () => {
    expect(() => words('-m comment --comment "open')).toThrow(
      expect.objectContaining({ line: 1, column: 22, message: 'line 1, column 22: this quote is never closed' }),
    )
  })
})
