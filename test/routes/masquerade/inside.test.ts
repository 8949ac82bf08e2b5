import fc from 'fast-check'
import { expect, test } from 'vitest'
import { insideRanges, joined } from '#routes/masquerade/inside.ts'
import { addressFromNumber } from '#values/address.ts'
import { contains, prefixOf } from '#values/cidr.ts'
import { cidr } from '../stage.ts'

test('what is said of a family counts, and in one of which nothing is said, what the nodes have', () => {
  const ofNodes = ['10.244.0.0/24', '10.244.1.0/24', 'fd00:244::/64', 'fd00:244:0:1::/64'].map(cidr)
  expect(insideRanges([cidr('10.244.0.0/16')], ofNodes)).toEqual(['10.244.0.0/16', 'fd00:244::/63'])
  expect(insideRanges([], ofNodes)).toEqual(['10.244.0.0/23', 'fd00:244::/63'])
})

const range = fc
  .tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 24, max: 32 }))
  .map(([last, bits]) => prefixOf(addressFromNumber('ipv4', BigInt(0x0a000000 + last)), bits))

test('joined ranges have the same addresses, none twice, and are the fewest', () => {
  fc.assert(
    fc.property(fc.array(range, { maxLength: 40 }), ranges => {
      const found = joined(ranges)
      for (let i = 0; i < 256; i++) {
        const one = addressFromNumber('ipv4', BigInt(0x0a000000 + i))
        const times = found.filter(cidr => contains(cidr, one)).length
        expect(times).toBe(ranges.some(cidr => contains(cidr, one)) ? 1 : 0)
      }
      expect(joined(found)).toEqual(found)
    }),
  )
})
