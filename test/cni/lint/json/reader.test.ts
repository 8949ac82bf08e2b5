import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { read } from './reading.ts'

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

describe('a reader that goes on behind a mistake', () => {
  test.each<[string, unknown, readonly string[]]>([
    ['{"a": 1, # why\n "b": 2}', { a: 1, b: 2 }, ['1:10 JSON has no comments; remove it']],
    [
      '// x\n{"a": /* y */ 1}',
      { a: 1 },
      ['1:1 JSON has no comments; remove it', '2:7 JSON has no comments; remove it'],
    ],
    ['{"a": 1\n "b": 2}', { a: 1, b: 2 }, ['1:8 a comma is missing here']],
    ['[1 2]', [1, 2], ['1:3 a comma is missing here']],
    ['{"a": 1,}', { a: 1 }, ['1:8 no comma may stand before }; remove it']],
    ['[1, ]', [1], ['1:3 no comma may stand before ]; remove it']],
    ['[1,, 2]', [1, 2], ['1:4 one comma too many; remove it']],
    ['[,1]', [1], ['1:2 one comma too many; remove it']],
    ['{"a": 1; "b": 2}', { a: 1, b: 2 }, ['1:8 ; separates nothing in JSON; write a comma']],
    ['{"subnet": 10.22.0.0/16}', { subnet: '10.22.0.0/16' }, ['1:12 10.22.0.0/16 has no quotes; write "10.22.0.0/16"']],
    ['{"gw": fd00::1, "a": 1}', { gw: 'fd00::1', a: 1 }, ['1:8 fd00::1 has no quotes; write "fd00::1"']],
    ['{name: "x"}', { name: 'x' }, ['1:2 the key name has no quotes; write "name"']],
    [
      '{"a": True, "b": no, "c": None}',
      { a: true, b: false, c: null },
      [
        '1:7 True is no word of JSON; write true',
        '1:18 no is no word of JSON; write false',
        '1:27 None is no word of JSON; write null',
      ],
    ],
    [
      '{"a" = 1, "b" => 2}',
      { a: 1, b: 2 },
      ['1:6 =: JSON has a colon between key and value', '1:15 =>: JSON has a colon between key and value'],
    ],
    // Words that every object has in JavaScript.
    [
      '[constructor, __proto__]',
      ['constructor', '__proto__'],
      ['1:2 constructor has no quotes; write "constructor"', '1:15 __proto__ has no quotes; write "__proto__"'],
    ],
    ['{"a" 1}', { a: 1 }, ['1:5 a colon is missing behind the key "a"']],
    ['{"a": }', {}, ['1:7 a value is missing here']],
    ['{"mtu": 01500}', { mtu: 1500 }, ['1:9 01500 is no number of JSON; write 1500']],
    ['{"a": [1, 2, "b": 3}', undefined, []],
    ['{"a": {"b": 1}', { a: { b: 1 } }, ['1:1 { is opened here and not closed; } is missing']],
    ['{"a": [1, 2}', { a: [1, 2] }, ['1:7 [ is opened here and not closed; ] is missing before }']],
    ['{"a": 1]}', { a: 1 }, ['1:8 ] closes nothing; remove it']],
    ['{"a": 1}}', { a: 1 }, ['1:9 the configuration has ended before this; remove it']],
    ['', undefined, ['1:1 the file holds no JSON; an object in braces is wanted']],
    ['\ufeff{}', {}, ['1:1 the character U+feff is no space of JSON; remove it, or write a plain space']],
  ])('understands %j', (text, value, lines) => {
    const found = read(text)
    if (value === undefined && lines.length === 0) expect(found.lines.length).toBeGreaterThan(0)
    else expect(found).toEqual({ value, lines })
  })

  test('reads all that is JSON as JSON.parse does, and finds nothing wrong with it', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), fc.constantFrom(0, 1, 4), (text, indent) => {
        const spaced = JSON.stringify(JSON.parse(text), undefined, indent)
        expect(read(spaced)).toEqual({ value: JSON.parse(text), lines: [] })
      }),
    )
  })

  test('ends on any text, and finds nothing wrong exactly where JSON.parse does not', () => {
    const change = fc.record({
      at: fc.nat(60),
      cut: fc.nat(3),
      put: fc.constantFrom('', ',', '"', '}', ']', '{', '[', ':', '#', 'x', '1', '\\', '\n', '/', "'"),
    })
    const text = fc
      .tuple(fc.json({ maxDepth: 3 }), fc.array(change, { maxLength: 4 }))
      .map(([json, changes]) =>
        changes.reduce((whole, { at, cut, put }) => whole.slice(0, at) + put + whole.slice(at + cut), json),
      )
    fc.assert(
      fc.property(text, given => {
        expect(read(given).lines.length === 0).toBe(isJson(given))
      }),
      { numRuns: 2000 },
    )
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}[]",:#/\\ \n1a') }), given => {
        expect(read(given).lines.length === 0).toBe(isJson(given))
      }),
      { numRuns: 2000 },
    )
  })

  test('does not tire of brackets that close nothing', () => {
    const { value, lines } = read(`[1${'}'.repeat(50_000)}, 2]`)
    expect(value).toEqual([1, 2])
    expect(lines).toHaveLength(50_000)
  })

  test('does not follow a text into depths where no configuration is', () => {
    expect(read('['.repeat(100_000)).lines).toEqual([expect.stringContaining('too deep to be a configuration')])
  })
})
