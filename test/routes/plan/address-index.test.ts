import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AddressIndex } from '#routes/plan/address-index.ts'
import { type Address, addressFromNumber, addressNumber, FAMILIES, type Family } from '#values/address.ts'
import { contains, prefixOf } from '#values/cidr.ts'

const BASE: Readonly<Record<Family, bigint>> = { ipv4: 0xffff_ff00n, ipv6: ((1n << 128n) - 1n) & ~0xffn }
const at = (family: Family, last: number): Address => addressFromNumber(family, BASE[family] + BigInt(last))
const anyAddress = fc.tuple(fc.constantFrom(...FAMILIES), fc.nat(255)).map(([family, last]) => at(family, last))

test('the lowest address in a range is found, of whichever node, up to the last address there is', () => {
  const anyRange = fc
    .tuple(fc.constantFrom(...FAMILIES), fc.nat(255), fc.integer({ min: 0, max: 9 }))
    .map(([family, last, free]) => prefixOf(at(family, last), (family === 'ipv4' ? 32 : 128) - free))
  fc.assert(
    fc.property(fc.array(fc.uniqueArray(anyAddress, { maxLength: 4 }), { maxLength: 8 }), anyRange, (nodes, range) => {
      const named = nodes.map((addresses, i) => ({ name: `n${i}`, addresses }))
      const found = new AddressIndex(named).within(range)
      const inside = named.flatMap(({ addresses }) => addresses).filter(one => contains(range, one))
      const lowest = inside.toSorted((a, b) => (addressNumber(a) < addressNumber(b) ? -1 : 1))[0]
      expect(found?.address).toBe(lowest)
      if (found !== undefined) expect(named.find(({ name }) => name === found.node)!.addresses).toContain(found.address)
    }),
  )
})

test('where there is no node, no address is in any range', () => {
  expect(new AddressIndex([]).within(prefixOf(at('ipv4', 0), 0))).toBeUndefined()
})
