import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type AddressSpan, allocatable, spanSize } from '#ipam/ranges/allocatable.ts'
import { nextFree, type TakenView } from '#ipam/ranges/next-free.ts'
import { type Address, addressFromNumber, addressNumber, FAMILIES } from '#values/address.ts'
import { ip } from '../../support/objects.ts'
import { everyAddress, setOf, setsOf, type WrittenRange, writtenSets } from './sets.ts'

describe('the next free address', () => {
  test('is the first of the range where none was given, and not the gateway', () => {
    expect(next([{ subnet: '10.9.0.0/29' }], undefined, [])).toBe('10.9.0.2')
    expect(next([{ subnet: 'fd00:66::/64' }], undefined, [])).toBe('fd00:66::2')
  })

  test('is the one after that given last, though an earlier one is free', () => {
    expect(next([{ subnet: '10.9.0.0/29' }], '10.9.0.4', ['10.9.0.4'])).toBe('10.9.0.5')
  })

  test('starts again at the beginning after the last', () => {
    expect(next([{ subnet: '10.9.0.0/29' }], '10.9.0.6', ['10.9.0.6'])).toBe('10.9.0.2')
  })

  test('is of the next range where one is full', () => {
    const ranges = [{ subnet: '10.9.0.0/30' }, { subnet: '10.9.1.0/30' }]
    expect(next(ranges, '10.9.0.2', ['10.9.0.2'])).toBe('10.9.1.2')
    expect(next(ranges, '10.9.1.2', ['10.9.1.2'])).toBe('10.9.0.2')
  })

  test('is the one given last only where all others are taken', () => {
    expect(next([{ subnet: '10.9.0.0/29' }], '10.9.0.3', ['10.9.0.2', '10.9.0.4', '10.9.0.5', '10.9.0.6'])).toBe(
      '10.9.0.3',
    )
  })

  test('is none where all are taken', () => {
    expect(next([{ subnet: '10.9.0.0/30' }], '10.9.0.2', ['10.9.0.2'])).toBeUndefined()
  })

  test('is never the network or the broadcast address, whatever the bounds say', () => {
    const all = allGiven([{ subnet: '10.9.0.0/29', rangeStart: '10.9.0.0', rangeEnd: '10.9.0.7', gateway: '10.9.0.6' }])
    expect(all).toEqual(['10.9.0.1', '10.9.0.2', '10.9.0.3', '10.9.0.4', '10.9.0.5'])
    const six = allGiven([{ subnet: 'fd00::/126', rangeStart: 'fd00::' }])
    expect(six).toEqual(['fd00::2', 'fd00::3'])
  })

  test('starts at the beginning where the one given last is of no range any more', () => {
    expect(next([{ subnet: '10.9.0.0/29' }], '10.8.0.4', [])).toBe('10.9.0.2')
    expect(next([{ subnet: '10.9.0.0/29' }], 'fd00::1', [])).toBe('10.9.0.2')
  })

  test('is not the gateway of another set', () => {
    const sets = setsOf(
      [{ subnet: '10.9.0.0/24', rangeStart: '10.9.0.10', rangeEnd: '10.9.0.12' }],
      [{ subnet: '10.9.0.0/24', rangeStart: '10.9.0.20', rangeEnd: '10.9.0.22', gateway: '10.9.0.10' }],
    )
    expect(nextFree(allocatable(sets)[0]!, undefined, viewOf([]))).toBe('10.9.0.11')
  })

  test.each(FAMILIES)('agrees with counting one by one, through every bound, gateway and range of %s', family => {
    fc.assert(
      fc.property(
        writtenSets(family),
        fc.nat(),
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        (written, from, chance) => {
          const sets = setsOf(...written)
          for (const [i, spans] of allocatable(sets).entries()) {
            const numbers = everyAddress(sets[i]!, sets)
            expect(spanSize(spans)).toBe(BigInt(numbers.length))
            const density = chance.next().value
            const taken = numbers.filter(() => chance.next().value < density)
            const at = numbers.length === 0 ? undefined : from % numbers.length
            const given = at === undefined ? undefined : addressFromNumber(family, numbers[at]!)
            const turn = at === undefined ? [] : [...numbers.slice(at + 1), ...numbers.slice(0, at + 1)]
            const expected = turn.find(number => !taken.includes(number))
            expect(nextFree(spans, given, viewOf(taken))).toBe(expected && addressFromNumber(family, expected))
          }
        },
      ),
    )
  })

  test('is found with two questions in a /8 and a /64, also behind 65,000 taken in a row', () => {
    for (const subnet of ['10.0.0.0/8', 'fd00::/64']) {
      const [spans] = allocatable(setsOf([{ subnet }]))
      const { family, first } = spans![0]!
      const end = first + 64_999n
      let questions = 0
      const run: TakenView = {
        runEnd(value) {
          questions++
          return value >= first && value <= end ? end : undefined
        },
      }
      expect(nextFree(spans!, undefined, run)).toBe(addressFromNumber(family, end + 1n))
      expect(nextFree(spans!, addressFromNumber(family, end), run)).toBe(addressFromNumber(family, end + 1n))
      expect(questions).toBe(2)
    }
  })
})

function next(
  ranges: readonly WrittenRange[],
  given: string | undefined,
  taken: readonly string[],
): Address | undefined {
  return nextFree(
    spansOf(ranges),
    given === undefined ? undefined : ip(given),
    viewOf(taken.map(text => addressNumber(ip(text)))),
  )
}

/** Each address in turn, until none is free. */
function allGiven(ranges: readonly WrittenRange[]): readonly Address[] {
  const spans = spansOf(ranges)
  const given: Address[] = []
  for (;;) {
    const address = nextFree(spans, given.at(-1), viewOf(given.map(addressNumber)))
    if (address === undefined) return given
    given.push(address)
  }
}

function spansOf(ranges: readonly WrittenRange[]): readonly AddressSpan[] {
  return allocatable([setOf(...ranges)])[0]!
}

function viewOf(taken: readonly bigint[]): TakenView {
  return {
    runEnd(value) {
      let end = value
      while (taken.includes(end)) end++
      return end === value ? undefined : end - 1n
    },
  }
}
