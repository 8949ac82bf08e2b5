import fc from 'fast-check'
import { expect, test } from 'vitest'
import { read } from './reading.ts'

test.each<[string, unknown, readonly string[]]>([
  [
    '{"subnet": "10.22.0.0"/16}',
    { subnet: '10.22.0.0/16' },
    ['1:23 /16 belongs inside of the quotes; write "10.22.0.0/16"'],
  ],
  [
    "{'name': 'x'}",
    { name: 'x' },
    [
      '1:2 \' begins a text in other quotes; JSON has " alone',
      '1:10 \' begins a text in other quotes; JSON has " alone',
    ],
  ],
  ['{“name”: "x"}', { name: 'x' }, ['1:2 “ begins a text in quotes of a word processor; JSON has " alone']],
  [
    '{"name": "x,\n "b": 1}',
    { name: 'x', b: 1 },
    ['1:10 the text that begins here has no quote at its end', '1:13 a comma is missing here'],
  ],
  [
    '{"name": "x,\r\n "b": 1}',
    { name: 'x', b: 1 },
    ['1:10 the text that begins here has no quote at its end', '1:13 a comma is missing here'],
  ],
  [
    '{"a": "x',
    { a: 'x' },
    ['1:1 { is opened here and not closed; } is missing', '1:7 the text that begins here has no quote at its end'],
  ],
  [
    '["a\\"]',
    ['a"]'],
    ['1:1 [ is opened here and not closed; ] is missing', '1:2 the text that begins here has no quote at its end'],
  ],
  ['{"a": "\\x"}', { a: '\\x' }, ['1:8 \\x means nothing in JSON; a backslash itself is written \\\\']],
  ['{"a": "b\tc"}', { a: 'b\tc' }, ['1:9 a text may not hold the character U+0009 as it is; write \\u0009']],
])('understands %j', (text, value, lines) => {
  expect(read(text)).toEqual({ value, lines })
})

test('every text is read back, whichever way its characters are written', () => {
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  const short = (unit: string) => JSON.stringify(unit).slice(1, -1)
  const slashed = (unit: string) => (unit === '/' ? '\\/' : short(unit))
  const unit = fc.oneof(
    fc.constantFrom('"', '\\', '/', '\n', '\0', "'", '“', ',', '\ud800'),
    fc.string({ minLength: 1, maxLength: 1 }),
  )
  const units = fc.array(
    fc.tuple(
      unit.map(text => text.charAt(0)),
      fc.constantFrom(escaped, short, slashed),
    ),
  )
  fc.assert(
    fc.property(units, written => {
      const text = `"${written.map(([letter, write]) => write(letter)).join('')}"`
      expect(read(text)).toEqual({ value: written.map(([letter]) => letter).join(''), lines: [] })
    }),
  )
})

test('a long line of spaces behind a quote that is missing is no long work', () => {
  const { value } = read(`["x${' '.repeat(50_000)}y, `)
  expect(value).toEqual([`x${' '.repeat(50_000)}y`])
})
