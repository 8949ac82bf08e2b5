import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Entry } from '#proxy/modes/mode.ts'
import { BASE_OWNER, Book } from '#proxy/plan/book.ts'
import { applied, diff, EMPTY, isEmpty } from '#proxy/plan/diff.ts'
import { ruleset, unit, unitSet } from '../../support/units.ts'

const own = (name: string, text: string): Entry => ({ unit: unit(name), text })
const shared = (name: string, text: string): Entry => ({ ...own(name, text), shared: true })

describe('an owner whose entries are refused', () => {
  const filled = (): Book => {
    const book = new Book()
    book.put('a', [own('chain a', 'old'), shared('jumps', 'to a')])
    book.put('b', [own('chain b', 'b'), shared('jumps', 'to b')])
    book.accept()
    return book
  }

  test('keeps what was taken last, and has what it wants once that is released', () => {
    const book = filled()
    book.put('a', [own('chain a', 'new'), own('chain c', ''), shared('jumps', 'to a and c')])
    expect([...book.changed()]).toEqual(['a'])
    book.withhold('a')
    expect([...book.rules].sort()).toEqual([
      ['chain a', 'old'],
      ['chain b', 'b'],
      ['jumps', 'to a\nto b'],
    ])
    expect([...book.withheld.keys()]).toEqual(['a'])
    book.accept()
    book.release('a')
    expect(book.rules.get(unit('chain a'))).toBe('new')
    expect(book.rules.get(unit('jumps'))).toBe('to a and c\nto b')
    book.withhold('a')
    expect(book.rules.get(unit('chain a'))).toBe('old')
  })

  test('has nothing where nothing of it was taken, and is forgotten when it wants something else', () => {
    const book = filled()
    book.put('new', [own('chain new', 'x'), shared('jumps', 'to new')])
    book.withhold('new')
    expect([book.rules.has(unit('chain new')), book.rules.get(unit('jumps'))]).toEqual([false, 'to a\nto b'])
    book.accept()
    book.put('new', [own('chain new', 'y')])
    expect([book.withheld.size, book.rules.get(unit('chain new'))]).toEqual([0, 'y'])
    book.withhold('new')
    book.remove('new')
    book.release('new')
    expect([book.withheld.size, book.rules.has(unit('chain new'))]).toEqual([0, false])
  })
})

describe('a book', () => {
  test('joins shared units in the order of the owners, what stands without Services last', () => {
    const book = new Book()
    book.put(BASE_OWNER, [shared('jumps', 'last')])
    book.put('b/x', [shared('jumps', 'from b')])
    book.put('a/x', [shared('jumps', 'from a')])
    expect(book.rules.get(unit('jumps'))).toBe('from a\nfrom b\nlast')
  })

  test('writes a line that several owners put only once, until the last of them goes', () => {
    const book = new Book()
    book.put('b', [shared('jumps', 'way\nb')])
    book.put('a', [shared('jumps', 'a\nway')])
    expect(book.rules.get(unit('jumps'))).toBe('a\nway\nb')
    book.remove('a')
    expect(book.rules.get(unit('jumps'))).toBe('way\nb')
  })

  test('keeps a shared unit without text, as long as an owner puts it', () => {
    const book = new Book()
    book.put(BASE_OWNER, [shared('jumps', '')])
    expect([...book.rules]).toEqual([['jumps', '']])
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
    book.put('b', [own('chain', 'b has it')])
    book.put('a', [own('chain', 'a has it')])
    expect(book.rules.get(unit('chain'))).toBe('a has it')
    book.remove('a')
    expect(book.rules.get(unit('chain'))).toBe('b has it')
  })

  test('says the same whatever order things were put in, and whatever came between', () => {
    const entries = fc.array(
      fc.record({
        unit: fc.constantFrom('p', 'q', 'r').map(unit),
        text: fc.constantFrom('', '1', '2'),
        shared: fc.constant(true as const),
      }),
      { maxLength: 3 },
    )
    const puts = fc.uniqueArray(
      fc.tuple(fc.constantFrom('a', 'b', 'c', BASE_OWNER), fc.uniqueArray(fc.constantFrom('p', 'q', 'r')), entries),
      {
        selector: ([owner]) => owner,
      },
    )
    fc.assert(
      fc.property(puts, fc.integer(), (all, seed) => {
        const straight = new Book()
        const winding = new Book()
        const unique = (list: readonly Entry[]): Entry[] => [
          ...new Map(list.map(entry => [entry.unit, entry])).values(),
        ]
        for (const [owner, , list] of all) straight.put(owner, unique(list))
        for (const [owner] of all) winding.put(owner, [shared('p', 'old'), shared('x', 'old')])
        const turned = seed % 2 === 0 ? all.toReversed() : all
        for (const [owner, , list] of turned) winding.put(owner, unique(list))
        expect(new Map([...winding.rules].sort())).toEqual(new Map([...straight.rules].sort()))
      }),
    )
  })
})

describe('a diff', () => {
  const rules = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom('1', '2')).map(ruleset)

  test('applied to what was installed gives what was wanted', () => {
    fc.assert(
      fc.property(rules, rules, (installed, wanted) => {
        const plan = diff(installed, wanted)
        expect(applied(new Map(installed), plan)).toEqual(wanted)
        expect(isEmpty(diff(wanted, wanted))).toBe(true)
      }),
    )
  })

  test('compares only touched units where these are given', () => {
    const plan = diff(ruleset({ a: '1', b: '1' }), ruleset({ a: '2', c: '3' }), unitSet('a'))
    expect(plan).toEqual({
      add: new Map(),
      change: ruleset({ a: '2' }),
      before: ruleset({ a: '1' }),
      remove: new Set(),
    })
  })

  test('from nothing adds everything', () => {
    expect(diff(EMPTY, ruleset({ a: '1' })).add).toEqual(ruleset({ a: '1' }))
  })
})
