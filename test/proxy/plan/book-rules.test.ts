import { expect, test } from 'vitest'
import { Book } from '#proxy/plan/book.ts'

test('rules are those of the book at any time, by unit and all together', () => {
  const book = new Book()
  const { rules } = book
  expect([...rules]).toEqual([])
  book.put('a', [
    { unit: 'chain a', text: 'a' },
    { unit: 'jumps', text: 'to a', shared: true },
  ])
  book.put('b', [{ unit: 'jumps', text: 'to b', shared: true }])
  expect(rules.size).toBe(2)
  expect(rules.has('chain a')).toBe(true)
  expect(rules.get('jumps')).toBe('to a\nto b')
  expect([...rules.keys()]).toEqual(['chain a', 'jumps'])
  expect([...rules.values()]).toEqual(['a', 'to a\nto b'])
  book.put('b', [{ unit: 'jumps', text: 'to c', shared: true }])
  expect(rules.get('jumps')).toBe('to a\nto c')
  book.remove('a')
  expect(rules.get('chain a')).toBeUndefined()
  const found: string[] = []
  rules.forEach((text, unit) => {
    found.push(`${unit}: ${text}`)
  })
  expect(found).toEqual(['jumps: to c'])
})
