import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  gateMap,
  gatesFromFile,
  gatesFromText,
  gatesToFile,
  vmoduleFromFile,
  vmoduleFromText,
  vmoduleList,
  vmoduleToFile,
} from '#config/table/pair-lists.ts'

describe('feature gates', () => {
  test.each([
    ['A=true,B=F, C = 1 ,', ['A=true', 'B=false', 'C=true']],
    ['', []],
    ['A', undefined],
    ['=true', undefined],
    ['A=maybe', undefined],
    ['A=', undefined],
    ['A=true,B', undefined],
    // As in Go, the name ends at the first sign.
    ['A=B=true', undefined],
  ])('of the text %j are %j', (text, gates) => {
    expect(gatesFromText(text)).toEqual(gates)
  })

  test.each([
    [{ A: true, B: false }, ['A=true', 'B=false']],
    [{}, []],
    [{ A: 'true' }, undefined],
    [[], undefined],
    ['A=true', undefined],
    [null, undefined],
  ])('of a file that says %j are %j', (plain, gates) => {
    expect(gatesFromFile(plain)).toEqual(gates)
  })

  test('that are named twice count as named last', () => {
    const gates = gatesFromText('A=true,B=true,A=false')!
    expect([...gateMap(gates)]).toEqual([
      ['A', false],
      ['B', true],
    ])
    expect(gatesToFile(gates)).toEqual({ A: false, B: true })
  })
})

describe('verbosities of source files', () => {
  test.each([
    ['report=4,lane*=10', ['report=4', 'lane*=10']],
    ['report=04', ['report=4']],
    ['', []],
    ['report', undefined],
    ['=4', undefined],
    ['report=-1', undefined],
    ['report=1.5', undefined],
    ['report=', undefined],
    ['a=b=3', undefined],
  ])('of the text %j are %j', (text, pairs) => {
    expect(vmoduleFromText(text)).toEqual(pairs)
  })

  test.each([
    [[{ filePattern: 'a', verbosity: 0 }], ['a=0']],
    [[], []],
    [[{ filePattern: 'a=b', verbosity: 1 }], undefined],
    [[{ filePattern: 'a,b', verbosity: 1 }], undefined],
    [[{ filePattern: '', verbosity: 1 }], undefined],
    [[{ filePattern: 'a', verbosity: -1 }], undefined],
    [[{ filePattern: 'a', verbosity: '1' }], undefined],
    [[{ filePattern: 7, verbosity: 1 }], undefined],
    [['a=1'], undefined],
    [[null], undefined],
    [{ filePattern: 'a', verbosity: 1 }, undefined],
  ])('of a file that says %j are %j', (plain, pairs) => {
    expect(vmoduleFromFile(plain)).toEqual(pairs)
  })

  test('are patterns and numbers', () => {
    expect(vmoduleList(['reflect*=2'])).toEqual([{ pattern: 'reflect*', verbosity: 2 }])
  })
})

test('whatever a command line may say can be written to a file, and says the same when it is read', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', '=', ',', ' ', '*', '1', '/'), maxLength: 12 })
  const gates = fc.string({ unit: fc.constantFrom('A', '=', ',', ' ', 'true', 'false', 'b'), maxLength: 9 })
  fc.assert(
    fc.property(letters, gates, (text, gateText) => {
      const pairs = vmoduleFromText(text)
      if (pairs !== undefined) expect(vmoduleFromFile(vmoduleToFile(pairs))).toEqual(pairs)
      const named = gatesFromText(gateText)
      if (named !== undefined)
        expect(gatesFromFile(gatesToFile(named))).toEqual(gatesFromFile(Object.fromEntries(gateMap(named))))
    }),
    { numRuns: 1000 },
  )
})
