import { expect, test } from 'vitest'
import { Book } from '#proxy/plan/book.ts'
import { unit, unitText } from '../../support/units.ts'

const A = unit('chain a')
const JUMPS = unit('jumps')

test('rules are those of the book at any time, by unit and all together', () => {
  const book = new Book()
  const { rules } = book
  expect([...rules]).toEqual([])
  book.put('a', [
    { unit: A, text: 'a' },
    { unit: JUMPS, text: 'to a', shared: true },
  ])
  book.put('b', [{ unit: JUMPS, text: 'to b', shared: true }])
  expect(rules.size).toBe(2)
  expect(rules.has(A)).toBe(true)
  expect(rules.get(JUMPS)).toBe('to a\nto b')
  expect([...rules.keys()]).toEqual(['chain a', 'jumps'])
  expect([...rules.values()]).toEqual(['a', 'to a\nto b'])
  book.put('b', [{ unit: JUMPS, text: 'to c', shared: true }])
  expect(rules.get(JUMPS)).toBe('to a\nto c')
  book.remove('a')
  expect(rules.get(A)).toBeUndefined()
  const found: string[] = []
  rules.forEach((text, unit) => {
    found.push(`${unitText(unit)}: ${text}`)
  })
  expect(found).toEqual(['jumps: to c'])
})
