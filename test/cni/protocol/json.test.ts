import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isJsonObject, readJson, shownJson } from '#cni/protocol/json.ts'

test('any value is shown on one short line of plain letters', () => {
  const value = fc.oneof(
    fc.jsonValue(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('\u2028', '\x1b[2J', '\x7f', '\ud800', undefined),
  )
  fc.assert(
    fc.property(value, given => {
      const text = shownJson(given)
      expect(text).toMatch(/^[\x20-\x7e]{1,123}$/)
      if (given !== undefined && text.length <= 120) expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(given)))
    }),
  )
})

test.each([
  [Number.POSITIVE_INFINITY, 'Infinity'],
  [-0, '0'],
  [undefined, 'nothing'],
  [null, 'null'],
  ['x'.repeat(200), `"${'x'.repeat(119)}...`],
])('%j is shown as %s', (value, text) => {
  expect(shownJson(value)).toBe(text)
})

test('an object is one in braces', () => {
  expect([{}, { a: 1 }, [], null, 'x', undefined].map(isJsonObject)).toEqual([true, true, false, false, false, false])
})

test('text that is no JSON is an answer with its reason', () => {
  expect(readJson('{')).toEqual({ ok: false, why: expect.stringMatching(/JSON/) })
  expect(readJson('null')).toEqual({ ok: true, json: null })
})
