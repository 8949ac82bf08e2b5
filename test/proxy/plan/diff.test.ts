import { expect, test } from 'vitest'
import { LINGERING, type Plan } from '#proxy/modes/mode.ts'
import { applied, diff, EMPTY, emptied, isEmpty } from '#proxy/plan/diff.ts'

const rules = (texts: Readonly<Record<string, string>>) => new Map(Object.entries(texts))
const plain = ({ add, change, before, remove }: Plan) => ({
  add: Object.fromEntries(add),
  change: Object.fromEntries(change),
  before: Object.fromEntries(before),
  remove: [...remove],
})

test('what is missing is added, what differs is changed and known as it was, what is not wanted goes', () => {
  const plan = diff(rules({ same: '1', other: '2', extra: '3' }), rules({ same: '1', other: 'two', more: '4' }))
  expect(plain(plan)).toEqual({
    add: { more: '4' },
    change: { other: 'two' },
    before: { other: '2' },
    remove: ['extra'],
  })
  expect(isEmpty(plan)).toBe(false)
})

test('equal rules need nothing, and a unit without text is a unit', () => {
  expect(isEmpty(diff(rules({ a: '1', b: '' }), rules({ b: '', a: '1' })))).toBe(true)
  expect(plain(diff(EMPTY, rules({ a: '' }))).add).toEqual({ a: '' })
  expect(plain(diff(rules({ a: '' }), EMPTY)).remove).toEqual(['a'])
  expect(plain(diff(rules({ a: '' }), rules({ a: '1' })))).toMatchObject({ change: { a: '1' }, before: { a: '' } })
})

test('of touched units nothing else is compared', () => {
  const [installed, wanted] = [rules({ a: '1', b: '1', gone: '1' }), rules({ a: '2', b: '2', more: '1' })]
  expect(plain(diff(installed, wanted, new Set(['a', 'gone', 'unknown'])))).toEqual({
    ...{ add: {}, change: { a: '2' }, before: { a: '1' } },
    remove: ['gone'],
  })
  expect(isEmpty(diff(installed, wanted, new Set()))).toBe(true)
})

test('what lingers is not made where it is not there, and changed where it is', () => {
  expect(isEmpty(diff(EMPTY, rules({ a: LINGERING })))).toBe(true)
  expect(plain(diff(rules({ a: '1' }), rules({ a: LINGERING }))).change).toEqual({ a: LINGERING })
})

test('once a plan is carried out, what was wanted is installed', () => {
  const [installed, wanted] = [
    rules({ same: '1', other: '2', extra: '3' }),
    rules({ same: '1', other: 'two', more: '4' }),
  ]
  expect(applied(installed, diff(installed, wanted))).toBe(installed)
  expect(installed).toEqual(wanted)
})

test('blocked units are emptied in place of being deleted, once', () => {
  const installed = rules({ held: '1', bare: '', free: '2', stays: '3' })
  const plan = diff(installed, rules({ stays: '4' }))
  expect(plain(emptied(plan, ['held', 'bare', 'elsewhere'], installed))).toEqual({
    add: {},
    change: { stays: '4', held: '' },
    before: { stays: '3', held: '1' },
    remove: ['free'],
  })
  expect([...plan.remove]).toEqual(['held', 'bare', 'free'])
})

test('a plan that deletes no blocked unit stays as it is', () => {
  const plan = diff(rules({ a: '1' }), EMPTY)
  expect(emptied(plan, ['b'], rules({ a: '1' }))).toBe(plan)
})
