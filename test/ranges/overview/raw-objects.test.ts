import { expect, test } from 'vitest'
import { createdAt, fieldsIn, listIn, nameOf, numberIn } from '#ranges/overview/raw-objects.ts'

test('an object has the name by which kubectl calls it, whatever it lacks', () => {
  expect(nameOf({ metadata: { namespace: 'shop', name: 'web' } })).toBe('shop/web')
  expect(nameOf({ metadata: { name: 'node-1' } })).toBe('node-1')
  expect([nameOf({}), nameOf({ metadata: { namespace: 7, name: 'x' } })]).toEqual(['undefined', 'x'])
})

test.each([
  ['2026-11-29T20:00:00Z', Date.UTC(2026, 10, 29, 20)],
  [undefined, undefined],
  [null, undefined],
  ['yesterday', undefined],
])('one made at %j was made at %j', (creationTimestamp, time) => {
  expect(createdAt({ metadata: { creationTimestamp } })).toBe(time)
})

test.each<[unknown, number | undefined]>([
  [110, 110],
  ['110', 110],
  [0, 0],
  ['0', 0],
  ['', undefined],
  ['1k', undefined],
  ['1.5', undefined],
  [Number.NaN, undefined],
  [2 ** 53, undefined],
  [null, undefined],
  [['110'], undefined],
  [true, undefined],
])('%j is the number %j', (value, number) => {
  expect(numberIn(value)).toBe(number)
})

test('what is no list is an empty one, and what has no fields has none', () => {
  expect([[1], undefined, null, 'ab', { length: 1 }].map(listIn)).toEqual([[1], [], [], [], []])
  expect([{ a: 1 }, undefined, null, 'ab', [1]].map(fieldsIn)).toEqual([{ a: 1 }, {}, {}, {}, {}])
})
