import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  errorText,
  jsonValue,
  pairsText,
  printableJson,
  quoted,
  sentenceText,
  valueText,
} from '#telemetry/log/klog-format.ts'

describe('a quoted string is written as Go quotes it', () => {
  test.each([
    ['default/web:http', '"default/web:http"'],
    ['', '""'],
    ['say "hi" \\ bye', '"say \\"hi\\" \\\\ bye"'],
    ['a\nb\tc\rd', '"a\\nb\\tc\\rd"'],
    ['\x07\b\f\v', '"\\a\\b\\f\\v"'],
    ['\x00\x1b[31m\x7f', '"\\x00\\x1b[31m\\x7f"'],
    ['Grüße 世界 😀', '"Grüße 世界 😀"'],
    ['\u0085\u00a0\u200b\u2028\u202e\ufeff', '"\\u0085\\u00a0\\u200b\\u2028\\u202e\\ufeff"'],
    ['\ud800', '"\\ufffd"'],
    ['\u{e0001}', '"\\U000e0001"'],
  ])('%j', (text, expected) => {
    expect(quoted(text)).toBe(expected)
  })
})

describe('a value is written as klog writes it', () => {
  test.each<[unknown, string]>([
    ['30s', '"30s"'],
    [4, '4'],
    [-1.5, '-1.5'],
    [12n, '12'],
    [true, 'true'],
    [null, 'null'],
    [['a', 'b'], '["a","b"]'],
    [[], '[]'],
    [{ zone: 'za' }, '{"zone":"za"}'],
    [new Map([['a', new Map([['b', 1]])]]), '{"a":{"b":1}}'],
    [new Set(['x']), '["x"]'],
    [{ nested: [new Error('boom'), 1n] }, '{"nested":["boom","1"]}'],
    [new Error('no "route"'), '"no \\"route\\""'],
    [new Date(0), '"1970-01-01T00:00:00.000Z"'],
    [new Date(Number.NaN), '"Invalid Date"'],
    [new URL('https://10.0.0.1:6443/'), '"https://10.0.0.1:6443/"'],
    [new TextEncoder().encode('bytes'), '"bytes"'],
    [{ text: 'a\nb\u2028\u0085' }, '{"text":"a\\nb\\u2028\\u0085"}'],
    [
      {
        toJSON: () => {
          throw new Error('not for you')
        },
      },
      '"<not shown: not for you>"',
    ],
  ])('%o', (value, expected) => {
    expect(valueText(value)).toBe(expected)
  })

  test('what refers to itself is not shown', () => {
    const circle: Record<string, unknown> = {}
    circle.self = circle
    expect(valueText(circle)).toMatch(/^"<not shown: .*circular.*>"$/)
    expect(jsonValue(circle)).toMatch(/^<not shown: .*circular.*>$/)
  })

  test('text of several lines becomes a block', () => {
    expect(valueText('*nat\n:KUBE - [0:0]\n\tCOMMIT')).toBe('<\n\t*nat\n\t:KUBE - [0:0]\n\t\tCOMMIT\n >')
    expect(valueText('one\n')).toBe('<\n\tone\n >')
    expect(valueText('a\n\nb\r\x1b\n')).toBe('<\n\ta\n\t\n\tb\\r\\x1b\n >')
  })
})

test('pairs stand behind one another; what is undefined vanishes', () => {
  expect(pairsText({ service: 'default/web', portCount: 2, zone: undefined, ips: ['10.0.0.1'] })).toBe(
    ' service="default/web" portCount=2 ips=["10.0.0.1"]',
  )
  expect(pairsText({ 'primary ipFamily': 'IPv4', 'a\nb': 1 })).toBe(' primary ipFamily="IPv4" a\\nb=1')
})

describe('an error says what caused it', () => {
  test.each<[unknown, string]>([
    [new Error('plain'), 'plain'],
    [new Error('fetch failed', { cause: new Error('connect ECONNREFUSED') }), 'fetch failed: connect ECONNREFUSED'],
    [new Error('a: b', { cause: new Error('b') }), 'a: b'],
    [new AggregateError([new Error('x'), new Error('y'), new Error('x')]), 'AggregateError: x: y'],
    [Object.assign(new Error(''), { code: 'ECONNRESET' }), 'ECONNRESET'],
    [new TypeError(''), 'TypeError'],
    ['thrown text', 'thrown text'],
    [{ code: 7 }, '{"code":7}'],
  ])('%o', (error, expected) => {
    expect(errorText(error)).toBe(expected)
  })

  test('even where causes go round in circles', () => {
    const error = new Error('a')
    error.cause = new Error('b', { cause: error })
    expect(errorText(error)).toBe('a: b')
  })
})

describe('no text can break out of its line', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string(),
    fc.constant('\nE1121 00:00:00.000000       1 x.ts:1] "forged"'),
  )
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const control = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/

  test('not a sentence, nor a quoted one, nor JSON', () => {
    fc.assert(
      fc.property(hostile, text => {
        expect(sentenceText(text)).not.toMatch(control)
        expect(quoted(text)).not.toMatch(control)
        expect(valueText({ text: [text] })).not.toMatch(control)
      }),
    )
  })

  test('a block begins each line with a tab and ends like no line of its own', () => {
    fc.assert(
      fc.property(hostile, text => {
        const lines = valueText(`${text}\n`).split('\n')
        expect(lines[0]).toBe('<')
        expect(lines.at(-1)).toBe(' >')
        for (const line of lines.slice(1, -1)) {
          expect(line).toMatch(/^\t/)
          expect(line.replaceAll('\t', '')).not.toMatch(control)
        }
      }),
    )
  })

  test('JSON that is made printable means the same', () => {
    fc.assert(
      fc.property(hostile, text => {
        const line = JSON.stringify({ text })
        expect(printableJson(`${line}\n`).endsWith('\n')).toBe(true)
        expect(JSON.parse(printableJson(line))).toEqual(JSON.parse(line))
      }),
    )
  })
})
