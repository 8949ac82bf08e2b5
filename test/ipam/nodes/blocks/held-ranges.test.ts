import fc from 'fast-check'
import { expect, test } from 'vitest'
import { HeldRanges } from '#ipam/nodes/blocks/held-ranges.ts'
import { addressFromNumber } from '#values/address.ts'
import { type Cidr, overlaps, prefixOf } from '#values/cidr.ts'

const cidr = (text: string) => text as Cidr
const anyRange = fc.oneof(
  fc
    .tuple(fc.nat(0x3ff), fc.integer({ min: 20, max: 28 }))
    .map(([at, bits]) => prefixOf(addressFromNumber('ipv4', BigInt(0x0af4_0000 + at)), bits)),
  fc
    .tuple(fc.nat(15), fc.integer({ min: 60, max: 66 }))
    .map(([at, bits]) => prefixOf(addressFromNumber('ipv6', (0xfd00_0244n << 96n) + (BigInt(at) << 62n)), bits)),
)

test('a range is held where any that is held has an address of it, and by one that really has', () => {
  fc.assert(
    fc.property(
      fc.array(anyRange, { maxLength: 8 }),
      fc.array(anyRange, { minLength: 1, maxLength: 8 }),
      (held, asked) => {
        const ranges = new HeldRanges([...held, ...asked])
        held.forEach((range, i) => void ranges.hold(range, `n${i}`))
        for (const range of asked) {
          const meeting = held.flatMap((one, i) => (overlaps(one, range) ? [`n${i}`] : []))
          const holder = ranges.holderOf(range)
          if (meeting.length === 0) expect(holder).toBeUndefined()
          else expect(meeting).toContain(holder)
        }
      },
    ),
  )
})

test('the same range is that of the first who held it', () => {
  const ranges = new HeldRanges([cidr('10.0.0.0/24'), cidr('10.0.0.0/23')])
  for (const name of ['a', 'b']) ranges.hold(cidr('10.0.0.0/24'), name)
  expect([ranges.holderOf(cidr('10.0.0.0/24')), ranges.holderOf(cidr('10.0.0.0/23'))]).toEqual(['a', 'a'])
})
