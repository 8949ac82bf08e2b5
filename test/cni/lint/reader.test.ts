import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LineIndex } from '#cni/lint/json/line-index.ts'
import { nodeAt, plainOf } from '#cni/lint/json/node.ts'
import { readTolerantly } from '#cni/lint/json/reader.ts'

function read(text: string) {
  const { root, problems } = readTolerantly(text)
  const lines = problems.map(({ at, message }) => {
    const { line, column } = new LineIndex(text).at(at)
    return `${line}:${column} ${message}`
  })
  return { value: root && plainOf(root), lines }
}

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
    [
      '{"subnet": "10.22.0.0"/16}',
      { subnet: '10.22.0.0/16' },
      ['1:23 /16 belongs inside of the quotes; write "10.22.0.0/16"'],
    ],
    ['{"subnet": 10.22.0.0/16}', { subnet: '10.22.0.0/16' }, ['1:12 10.22.0.0/16 has no quotes; write "10.22.0.0/16"']],
    ['{"gw": fd00::1, "a": 1}', { gw: 'fd00::1', a: 1 }, ['1:8 fd00::1 has no quotes; write "fd00::1"']],
    ['{name: "x"}', { name: 'x' }, ['1:2 the key name has no quotes; write "name"']],
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
    ['{"a" 1}', { a: 1 }, ['1:5 a colon is missing behind the key "a"']],
    ['{"a": }', {}, ['1:7 a value is missing here']],
    ['{"mtu": 01500}', { mtu: 1500 }, ['1:9 01500 is no number of JSON; write 1500']],
    [
      '{"name": "x,\n "b": 1}',
      { name: 'x', b: 1 },
      ['1:10 the text that begins here has no quote at its end', '1:13 a comma is missing here'],
    ],
    ['{"a": [1, 2, "b": 3}', undefined, []],
    ['{"a": {"b": 1}', { a: { b: 1 } }, ['1:1 { is opened here and not closed; } is missing']],
    ['{"a": [1, 2}', { a: [1, 2] }, ['1:7 [ is opened here and not closed; ] is missing before }']],
    ['{"a": 1]}', { a: 1 }, ['1:8 ] closes nothing; remove it']],
    ['{"a": 1}}', { a: 1 }, ['1:9 the configuration has ended before this; remove it']],
    ['', undefined, ['1:1 the file holds no JSON; an object in braces is wanted']],
    ['\ufeff{}', {}, ['1:1 the character U+feff is no space of JSON; remove it, or write a plain space']],
    ['{"a": "\\x"}', { a: '\\x' }, ['1:8 \\x means nothing in JSON; a backslash itself is written \\\\']],
    ['{"a": "b\tc"}', { a: 'b\tc' }, ['1:9 a text may not hold the character U+0009 as it is; write \\u0009']],
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

  test('does not follow a text into depths where no configuration is', () => {
    expect(read('['.repeat(100_000)).lines).toEqual([expect.stringContaining('too deep to be a configuration')])
  })
})

test('a path leads to where its value stands, or as near to it as there is one', () => {
  const text = '{"plugins": [{"ipam": {"subnet": "x"}}]}'
  const { root } = readTolerantly(text)
  expect(nodeAt(root!, 'plugins[0].ipam.subnet')).toEqual({ at: text.indexOf('"x"'), isExact: true })
  expect(nodeAt(root!, 'plugins[0].ipam.ranges[0]')).toEqual({ at: text.indexOf('{"subnet'), isExact: false })
})
