import fc from 'fast-check'
import { expect, test } from 'vitest'
import { commonRanges, holds, meet, rangeOf, rangesText } from '#ipam/ranges/range-bounds.ts'
import type { AddressRange } from '#ipam/ranges/range-set.ts'
import { addressFromNumber, addressNumber, FAMILIES, type Family } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'
import { address } from '../../support/leases.ts'
import { setOf, setsOf } from './sets.ts'

const SUBNETS: Readonly<Record<Family, Cidr>> = { ipv4: '10.9.0.0/27' as Cidr, ipv6: 'fd00:9::/123' as Cidr }
const at = (family: Family, number: number) =>
  addressFromNumber(family, addressNumber(address(SUBNETS[family].split('/')[0]!)) + BigInt(number))
const anyRange: fc.Arbitrary<AddressRange> = fc
  .tuple(fc.constantFrom(...FAMILIES), fc.nat(31), fc.nat(31))
  .map(([family, one, other]) => ({
    ...{ subnet: SUBNETS[family], gateway: at(family, 1) },
    ...{ start: at(family, Math.min(one, other)), end: at(family, Math.max(one, other)) },
  }))
const inside = (range: AddressRange) =>
  FAMILIES.flatMap(family => Array.from({ length: 32 }, (_, i) => at(family, i)).filter(one => holds(range, one)))

test('two ranges meet where they have an address in common, in whatever order they are asked', () => {
  fc.assert(
    fc.property(anyRange, anyRange, (one, other) => {
      const isCommon = inside(one).some(address => holds(other, address))
      expect([meet(one, other), meet(other, one)]).toEqual([isCommon, isCommon])
    }),
  )
})

test('ranges of two networks are named in pairs, each pair once', () => {
  const [a, b] = [
    setsOf([{ subnet: '10.9.0.0/24' }, { subnet: '10.8.0.0/24' }], [{ subnet: 'fd00:9::/64' }]),
    setsOf([{ subnet: '10.9.0.0/28' }], [{ subnet: 'fd00:9::/120' }], [{ subnet: '10.7.0.0/24' }]),
  ]
  expect(commonRanges(a, b).map(pair => pair.map(({ subnet }) => subnet))).toEqual([
    ['10.9.0.0/24', '10.9.0.0/28'],
    ['fd00:9::/64', 'fd00:9::/120'],
  ])
  expect(commonRanges(a, [])).toEqual([])
})

test('an address is of the range that has it, not of its subnet alone', () => {
  const set = setOf({ subnet: '10.9.0.0/24', rangeEnd: '10.9.0.9' }, { subnet: '10.9.0.0/24', rangeStart: '10.9.0.20' })
  expect(rangeOf(set, address('10.9.0.20'))?.start).toBe('10.9.0.20')
  expect(rangeOf(set, address('10.9.0.10'))).toBeUndefined()
  expect(rangesText(set)).toBe('10.9.0.1-10.9.0.9,10.9.0.20-10.9.0.254')
})
