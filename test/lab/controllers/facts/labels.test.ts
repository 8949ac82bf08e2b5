import { describe, expect, test } from 'vitest'
import { meets, selects } from '#lab/controllers/facts/labels.ts'

describe('a selector', () => {
  const labels = { app: 'web', rank: '3', empty: '' }

  test('that names nothing takes everything, and where there is none it takes nothing', () => {
    expect(selects({}, labels)).toBe(true)
    expect(selects({}, undefined)).toBe(true)
    expect(selects(undefined, labels)).toBe(false)
  })

  test('takes what has all of its labels and meets all of its requirements', () => {
    const inWeb = { key: 'app', operator: 'In', values: ['web', 'db'] }
    expect(selects({ matchLabels: { app: 'web' }, matchExpressions: [inWeb] }, labels)).toBe(true)
    expect(selects({ matchLabels: { app: 'db' }, matchExpressions: [inWeb] }, labels)).toBe(false)
    expect(selects({ matchLabels: { app: 'web' }, matchExpressions: [{ ...inWeb, values: ['db'] }] }, labels)).toBe(
      false,
    )
    expect(selects({ matchLabels: { app: 'web' } }, undefined)).toBe(false)
  })

  test.each<[string, string, readonly string[], boolean]>([
    ['app', 'In', ['web'], true],
    ['empty', 'In', [''], true],
    ['none', 'In', [''], false],
    ['app', 'NotIn', ['web'], false],
    ['none', 'NotIn', ['web'], true],
    ['empty', 'Exists', [], true],
    ['none', 'DoesNotExist', [], true],
    ['empty', 'DoesNotExist', [], false],
    ['rank', 'Gt', ['2'], true],
    ['rank', 'Gt', ['3'], false],
    ['rank', 'Lt', ['10'], true],
    ['rank', 'Lt', ['three'], false],
    ['app', 'Gt', ['-1'], false],
    // An empty text is no number, though it can be read as 0.
    ['empty', 'Lt', ['1'], false],
    ['none', 'Lt', ['1'], false],
    ['rank', 'Gt', ['1e0'], false],
    ['app', 'Near', ['web'], false],
    // What each object of the language has is no label.
    ['constructor', 'Exists', [], false],
    ['toString', 'DoesNotExist', [], true],
  ])('with a requirement of %s %s %j: %s', (key, operator, values, holds) => {
    expect(meets({ key, operator, values }, labels)).toBe(holds)
  })
})
