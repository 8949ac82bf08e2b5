import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { allocatable } from '#ipam/ranges/allocatable.ts'
import { capacity } from '#ipam/ranges/capacity.ts'
import { commonRanges, holds, meet, rangeOf, rangesText } from '#ipam/ranges/range-bounds.ts'
import type { AddressRange } from '#ipam/ranges/range-set.ts'
import { matchedAddresses, neverGiven } from '#ipam/ranges/requested.ts'
import { addressFromNumber, addressNumber, FAMILIES } from '#values/address.ts'
import { ip } from '../../support/objects.ts'
import { everyAddress, setOf, setsOf, writtenSets } from './sets.ts'

const DUAL = setsOf([{ subnet: '10.0.0.0/24' }, { subnet: '10.1.0.0/24' }], [{ subnet: 'fd00::/64' }])

describe('addresses that are asked for', () => {
  test('are each given by the set that has them', () => {
    expect(matchedAddresses(DUAL, [ip('fd00::9'), ip('10.1.0.9')])).toEqual({
      chosen: [
        { set: 0, address: '10.1.0.9' },
        { set: 1, address: 'fd00::9' },
      ],
      left: [],
      refused: [],
    })
  })

  test('are left over where no set has them, or theirs gives another already', () => {
    const asked = [ip('10.0.0.9'), ip('10.0.0.8'), ip('10.9.0.1'), ip('10.0.0.255')]
    expect(matchedAddresses(DUAL, asked)).toMatchObject({
      chosen: [{ address: '10.0.0.9' }],
      left: ['10.0.0.8', '10.9.0.1', '10.0.0.255'],
    })
  })

  test('count once where one is asked for twice', () => {
    expect(matchedAddresses(DUAL, [ip('10.0.0.9'), ip('10.0.0.9')]).left).toEqual([])
  })

  test('are refused where one is a gateway, or of the network itself', () => {
    const sets = setsOf([{ subnet: '10.0.0.0/24', rangeStart: '10.0.0.0', rangeEnd: '10.0.0.255' }])
    const why = (text: string) => matchedAddresses(sets, [ip(text)]).refused[0]?.why
    expect([why('10.0.0.1'), why('10.0.0.0'), why('10.0.0.255'), why('10.0.0.2')]).toEqual([
      'gateway',
      'network',
      'broadcast',
      undefined,
    ])
  })
})

describe('what a set can give', () => {
  test.each(FAMILIES)('is what is not reserved, and both together are the whole, in every shape of %s', family => {
    fc.assert(
      fc.property(writtenSets(family), written => {
        const sets = setsOf(...written)
        for (const [i, { total, size, reserved }] of capacity(sets).entries()) {
          const free = everyAddress(sets[i]!, sets)
          expect(size).toBe(BigInt(free.length))
          expect(total).toBe(size + BigInt(reserved.length))
          for (const { address } of reserved) expect(free).not.toContain(addressNumber(address))
          const addresses = free.map(number => addressFromNumber(family, number))
          expect(addresses.filter(address => neverGiven(sets, address) !== undefined)).toEqual([])
          expect(addresses.filter(address => rangeOf(sets[i]!, address) === undefined)).toEqual([])
        }
      }),
    )
  })

  test('is 253 of a /24, and more of a /64 than a number holds', () => {
    expect(capacity(DUAL)).toEqual([
      {
        total: 508n,
        size: 506n,
        reserved: [
          { address: '10.0.0.1', why: 'gateway' },
          { address: '10.1.0.1', why: 'gateway' },
        ],
      },
      { total: (1n << 64n) - 1n, size: (1n << 64n) - 2n, reserved: [{ address: 'fd00::1', why: 'gateway' }] },
    ])
  })

  test('is nothing where the gateway is all there is', () => {
    const sets = setsOf([{ subnet: '10.0.0.0/24', rangeStart: '10.0.0.1', rangeEnd: '10.0.0.1' }])
    expect(allocatable(sets)).toEqual([[]])
    expect(capacity(sets)[0]).toMatchObject({ total: 1n, size: 0n })
  })
})

describe('ranges of two networks', () => {
  test('are shown in pairs where they have addresses in common', () => {
    const other = setsOf([{ subnet: '10.1.0.0/16', rangeStart: '10.1.0.200', rangeEnd: '10.1.1.3' }])
    expect(commonRanges(DUAL, other).map(([a, b]) => `${a.subnet} ${b.subnet}`)).toEqual(['10.1.0.0/24 10.1.0.0/16'])
  })

  test('have some in common exactly where an address is in both, whichever is asked about the other', () => {
    const bounds = fc.tuple(fc.integer({ min: 1, max: 14 }), fc.integer({ min: 1, max: 14 }))
    fc.assert(
      fc.property(bounds, bounds, (one, two) => {
        const [a, b] = [one, two].map(([x, y]) => {
          const at = (n: number) => `10.0.0.${n}`
          return setOf({ subnet: '10.0.0.0/28', rangeStart: at(Math.min(x, y)), rangeEnd: at(Math.max(x, y)) })[0]
        }) as [AddressRange, AddressRange]
        const inBoth = Array.from({ length: 16 }, (_, n) => ip(`10.0.0.${n}`)).some(n => holds(a, n) && holds(b, n))
        expect([meet(a, b), meet(b, a)]).toEqual([inBoth, inBoth])
      }),
    )
  })

  test('have none where the same subnet is divided between them', () => {
    const [lower, upper] = [
      setsOf([{ subnet: '10.0.0.0/24', rangeEnd: '10.0.0.99' }]),
      setsOf([{ subnet: '10.0.0.0/24', rangeStart: '10.0.0.100' }]),
    ]
    expect(commonRanges(lower, upper)).toEqual([])
  })

  test('are named by their bounds', () => {
    expect(rangesText(setOf({ subnet: '10.9.0.0/29' }, { subnet: '10.8.0.0/29' }))).toBe(
      '10.9.0.1-10.9.0.6,10.8.0.1-10.8.0.6',
    )
  })
})
