import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse as parseYaml, stringify } from 'yaml'
import { isZero, KINDS, type KindName, type Value } from '#config/table/kinds.ts'

// The kinds of values: what text and what a file may say, and that both ways back say the same.

describe('text', () => {
  test.each<[KindName, string, Value | undefined]>([
    ['int', '-0x10', -16],
    ['int', '0b101', 5],
    ['int', '0o17', 15],
    ['int', '017', 15],
    ['int', '+7', 7],
    ['int', '2147483647', 2_147_483_647],
    ['int', '2147483648', undefined],
    ['int', '-2147483648', -2_147_483_648],
    ['int', '08', undefined],
    ['int', '1_000', undefined],
    ['int', '1e3', undefined],
    ['int', ' 1', undefined],
    ['int', '', undefined],
    ['count', '-1', undefined],
    ['count', '4294967295', 4_294_967_295],
    ['count', '4294967296', undefined],
    ['float', '1e3', 1000],
    ['float', '-.5', -0.5],
    ['float', '', undefined],
    ['float', ' ', undefined],
    ['float', 'Infinity', undefined],
    ['float', 'NaN', undefined],
    ['switch', 'T', true],
    ['switch', '0', false],
    ['switch', 'yes', undefined],
    ['switch', '', undefined],
    ['version', 'true', 'true'],
    ['version', 'F', 'false'],
    ['version', 'v1.36.0-rc.1', 'v1.36.0-rc.1'],
    ['version', '1.36.0', undefined],
    ['quantity', '64Ki', '64Ki'],
    ['quantity', '1e3', '1e3'],
    ['quantity', '.5M', '.5M'],
    ['quantity', '64KB', undefined],
    ['quantity', '', undefined],
    ['list', '', []],
    ['list', 'a, b,c', ['a', 'b', 'c']],
    ['list', 'a,,b', ['a', '', 'b']],
    ['duration', '1m30s', 90_000],
    ['duration', '90', undefined],
  ])('of kind %s: %j is %j', (kind, text, value) => {
    expect(KINDS[kind].fromText(text)).toEqual(value)
  })
})

describe('a file', () => {
  test.each<[KindName, unknown, Value | undefined]>([
    ['text', 7, undefined],
    ['text', null, undefined],
    ['int', '7', undefined],
    ['int', 7.5, undefined],
    ['count', -1, undefined],
    ['float', '7', undefined],
    ['float', Number.POSITIVE_INFINITY, undefined],
    ['switch', 'On', true],
    ['switch', 'n', false],
    ['switch', 1, undefined],
    ['switch', 'true', undefined],
    ['duration', 0, 0],
    ['duration', 30, undefined],
    ['flush', 5_000_000_000, 5000],
    ['flush', '5s', 5000],
    ['quantity', 1024, '1024'],
    ['quantity', '64Ki', '64Ki'],
    ['quantity', {}, undefined],
    ['list', ['a', 1], undefined],
    ['list', 'a', undefined],
    ['list', { 0: 'a' }, undefined],
  ])('of kind %s: %j is %j', (kind, plain, value) => {
    expect(KINDS[kind].fromFile(plain)).toEqual(value)
  })
})

const word = fc.stringMatching(/^[a-zA-Z0-9./:_-]{1,12}$/)
const VALUES: Readonly<Record<KindName, fc.Arbitrary<Value>>> = {
  text: fc.string(),
  path: fc.string(),
  address: fc.ipV6(),
  addressPort: word,
  // Halves and quarters of a second are exact.
  duration: fc.integer({ min: -1e7, max: 1e7 }).map(quarters => quarters * 250),
  flush: fc.nat(1e7).map(quarters => quarters * 250),
  list: fc.array(word),
  switch: fc.boolean(),
  version: fc.constantFrom('true', 'false', 'raw', 'v1.36.0'),
  int: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  count: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  float: fc.double({ noNaN: true, noDefaultInfinity: true }).filter(value => !Object.is(value, -0)),
  quantity: fc.constantFrom('0', '64Ki', '1e3', '-1.5M'),
  gates: fc
    .uniqueArray(fc.stringMatching(/^[A-Za-z]{1,9}$/))
    .map(names => names.map((name, n) => `${name}=${n % 2 > 0}`)),
  vmodule: fc.array(fc.tuple(word, fc.nat(9))).map(all => all.map(([name, level]) => `${name}=${level}`)),
}

describe.each(Object.entries(VALUES) as [KindName, fc.Arbitrary<Value>][])('a value of kind %s', (name, values) => {
  const kind = KINDS[name]

  test('is what its text says', () => {
    const shown = (value: Value) => {
      const text = kind.toText(value)
      return name === 'list' ? text.slice(1, -1) : text
    }
    fc.assert(
      fc.property(values, value => {
        expect(kind.fromText(shown(value))).toEqual(value)
      }),
    )
  })

  test('is what a file with it says', () => {
    fc.assert(
      fc.property(values, value => {
        const plain = parseYaml(stringify({ value: kind.toFile(value) })).value as unknown
        // A list that was never filled in is null, which is as good as not given.
        expect(plain === null ? [] : kind.fromFile(plain)).toEqual(value)
      }),
    )
  })
})

test.each(Object.keys(KINDS) as KindName[])('no text and no value of a file makes kind %s throw', name => {
  fc.assert(
    fc.property(fc.string(), fc.jsonValue(), (text, plain) => {
      KINDS[name].fromText(text)
      KINDS[name].fromFile(plain)
    }),
  )
})

test('zero is what Go takes for not given', () => {
  const zeros: readonly Value[] = ['', 0, false, []]
  expect(zeros.filter(isZero)).toEqual(zeros)
  expect((['0', -1, true, ['']] as const).some(isZero)).toBe(false)
})
