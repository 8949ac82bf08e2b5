import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Entry } from '#proxy/modes/mode.ts'
import { BASE_OWNER, Book } from '#proxy/plan/book.ts'
import { diff, EMPTY, isEmpty, applied } from '#proxy/plan/diff.ts'

const own = (unit: string, text: string): Entry => ({ unit, text })
const shared = (unit: string, text: string): Entry => ({ unit, text, shared: true })

describe('a book', () => {
  test('joins shared units in the order of the owners, what stands without Services last', () => {
    const book = new Book()
    book.put(BASE_OWNER, [shared('doors', 'last')])
    book.put('b/x', [shared('doors', 'from b')])
    book.put('a/x', [shared('doors', 'from a')])
    expect(book.rules.get('doors')).toBe('from a\nfrom b\nlast')
  })

  test('writes a line that several want only once, until the last of them goes', () => {
    const book = new Book()
    book.put('b', [shared('doors', 'way\nb')])
    book.put('a', [shared('doors', 'a\nway')])
    expect(book.rules.get('doors')).toBe('a\nway\nb')
    book.remove('a')
    expect(book.rules.get('doors')).toBe('way\nb')
  })

  test('keeps a shared unit that nobody fills, as long as somebody wants it to exist', () => {
    const book = new Book()
    book.put(BASE_OWNER, [shared('doors', '')])
    expect([...book.rules]).toEqual([['doors', '']])
  })

  test('touches only what changed', () => {
    const book = new Book()
    book.put('a', [own('one', '1'), own('two', '2')])
    book.takeTouched()
    book.put('a', [own('one', '1'), own('two', '2!'), own('three', '3')])
    expect([...book.takeTouched()].sort()).toEqual(['three', 'two'])
    book.put('a', [own('one', '1'), own('two', '2!'), own('three', '3')])
    expect([...book.takeTouched()]).toEqual([])
  })

  test('gives a unit that two claim to the first by name, and to the other when that one goes', () => {
    const book = new Book()
    book.put('b', [own('door', 'b has it')])
    book.put('a', [own('door', 'a has it')])
    expect(book.rules.get('door')).toBe('a has it')
    book.remove('a')
    expect(book.rules.get('door')).toBe('b has it')
  })

  test('says the same whatever order things were put in, and whatever came between', () => {
    const entries = fc.array(
      fc.record({
        unit: fc.constantFrom('p', 'q', 'r'),
        text: fc.constantFrom('', '1', '2'),
        shared: fc.constant(true as const),
      }),
      { maxLength: 3 },
    )
    const wishes = fc.uniqueArray(
      fc.tuple(fc.constantFrom('a', 'b', 'c', BASE_OWNER), fc.uniqueArray(fc.constantFrom('p', 'q', 'r')), entries),
      {
        selector: ([owner]) => owner,
      },
    )
    fc.assert(
      fc.property(wishes, fc.integer(), (wish, seed) => {
        const straight = new Book()
        const winding = new Book()
        const unique = (list: readonly Entry[]): Entry[] => [
          ...new Map(list.map(entry => [entry.unit, entry])).values(),
        ]
        for (const [owner, , list] of wish) straight.put(owner, unique(list))
        for (const [owner] of wish) winding.put(owner, [shared('p', 'old'), shared('x', 'old')])
        const turned = seed % 2 === 0 ? wish.toReversed() : wish
        for (const [owner, , list] of turned) winding.put(owner, unique(list))
        expect(new Map([...winding.rules].sort())).toEqual(new Map([...straight.rules].sort()))
      }),
    )
  })
})

describe('a diff', () => {
  const rules = fc
    .dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom('1', '2'))
    .map(object => new Map(Object.entries(object)))

  test('settled upon what was installed gives what was wanted', () => {
    fc.assert(
      fc.property(rules, rules, (installed, wanted) => {
        const plan = diff(installed, wanted)
        expect(applied(new Map(installed), plan)).toEqual(wanted)
        expect(isEmpty(diff(wanted, wanted))).toBe(true)
      }),
    )
  })

  test('looks only at touched units where it is told which', () => {
    const plan = diff(
      new Map([
        ['a', '1'],
        ['b', '1'],
      ]),
      new Map([
        ['a', '2'],
        ['c', '3'],
      ]),
      new Set(['a']),
    )
    expect(plan).toEqual({ add: new Map(), change: new Map([['a', '2']]), remove: new Set() })
  })

  test('from nothing adds everything', () => {
    expect(diff(EMPTY, new Map([['a', '1']])).add).toEqual(new Map([['a', '1']]))
  })
})
