import { expect, test } from 'vitest'
import { LINGERING, type Plan } from '#proxy/modes/mode.ts'
import { applied, diff, EMPTY, emptied, isEmpty } from '#proxy/plan/diff.ts'
import { ruleset, textsOf, unitSet } from '../../support/units.ts'

const plain = ({ add, change, before, remove }: Plan) => ({
  add: Object.fromEntries(textsOf(add)),
  change: Object.fromEntries(textsOf(change)),
  before: Object.fromEntries(textsOf(before)),
  remove: [...remove],
})

test('what is missing is added, what differs is changed and known as it was, what is not wanted goes', () => {
  const plan = diff(ruleset({ same: '1', other: '2', extra: '3' }), ruleset({ same: '1', other: 'two', more: '4' }))
  expect(plain(plan)).toEqual({
    add: { more: '4' },
    change: { other: 'two' },
    before: { other: '2' },
    remove: ['extra'],
  })
  expect(isEmpty(plan)).toBe(false)
})

test('equal rules need nothing, and a unit without text is a unit', () => {
  expect(isEmpty(diff(ruleset({ a: '1', b: '' }), ruleset({ b: '', a: '1' })))).toBe(true)
  expect(plain(diff(EMPTY, ruleset({ a: '' }))).add).toEqual({ a: '' })
  expect(plain(diff(ruleset({ a: '' }), EMPTY)).remove).toEqual(['a'])
  expect(plain(diff(ruleset({ a: '' }), ruleset({ a: '1' })))).toMatchObject({ change: { a: '1' }, before: { a: '' } })
})

test('of touched units nothing else is compared', () => {
  const [installed, wanted] = [ruleset({ a: '1', b: '1', gone: '1' }), ruleset({ a: '2', b: '2', more: '1' })]
  expect(plain(diff(installed, wanted, unitSet('a', 'gone', 'unknown')))).toEqual({
    ...{ add: {}, change: { a: '2' }, before: { a: '1' } },
    remove: ['gone'],
  })
  expect(isEmpty(diff(installed, wanted, new Set()))).toBe(true)
})

test('what lingers is not made where it is not there, and changed where it is', () => {
  expect(isEmpty(diff(EMPTY, ruleset({ a: LINGERING })))).toBe(true)
  expect(plain(diff(ruleset({ a: '1' }), ruleset({ a: LINGERING }))).change).toEqual({ a: LINGERING })
})

test('once a plan is carried out, what was wanted is installed', () => {
  const [installed, wanted] = [
    ruleset({ same: '1', other: '2', extra: '3' }),
    ruleset({ same: '1', other: 'two', more: '4' }),
  ]
  expect(applied(installed, diff(installed, wanted))).toBe(installed)
  expect(installed).toEqual(wanted)
})

test('blocked units are emptied in place of being deleted, once', () => {
  const installed = ruleset({ held: '1', bare: '', free: '2', stays: '3' })
  const plan = diff(installed, ruleset({ stays: '4' }))
  expect(plain(emptied(plan, unitSet('held', 'bare', 'elsewhere'), installed))).toEqual({
    add: {},
    change: { stays: '4', held: '' },
    before: { stays: '3', held: '1' },
    remove: ['free'],
  })
  expect([...plan.remove]).toEqual(['held', 'bare', 'free'])
})

test('a plan that deletes no blocked unit stays as it is', () => {
  const plan = diff(ruleset({ a: '1' }), EMPTY)
  expect(emptied(plan, unitSet('b'), ruleset({ a: '1' }))).toBe(plan)
})
