import { ADDRESS_BITS, type Address, addressNumber, familyOf } from '#values/address.ts'
import { baseAddress, type Cidr, cidrFamily, prefixLength } from '#values/cidr.ts'
import type { AddressRange, RangeSet } from './range-set.ts'

// Where a range begins and ends: as text, against an address, against another range.

/** `10.9.0.1-10.9.0.6,10.8.0.1-10.8.0.6`: as the messages of the reference plugin name a range set. */
export function rangesText(ranges: readonly AddressRange[]): string {
  return ranges.map(({ start, end }) => `${start}-${end}`).join(',')
}

export function holds({ subnet, start, end }: AddressRange, address: Address): boolean {
  if (cidrFamily(subnet) !== familyOf(address)) return false
  const number = addressNumber(address)
  return addressNumber(start) <= number && number <= addressNumber(end)
}

/** Whether two ranges have an address in common. */
export function meet(a: AddressRange, b: AddressRange): boolean {
  return holds(a, b.start) || holds(b, a.start)
}

/** The range an address is of: its prefix length and gateway go into the result. */
export function rangeOf(set: RangeSet, address: Address): AddressRange | undefined {
  return set.find(range => holds(range, address))
}

/** Ranges of two networks that have addresses in common: without a common database, an address of these would be given twice. */
export function commonRanges(
  a: readonly RangeSet[],
  b: readonly RangeSet[],
): readonly (readonly [AddressRange, AddressRange])[] {
  return a.flat().flatMap(one =>
    b
      .flat()
      .filter(other => meet(one, other))
      .map(other => [one, other] as const),
  )
}

/** Without the network's own address, and in IPv4 without the broadcast address, the last one: IPv6 has none. */
export function usableBounds(subnet: Cidr): { readonly first: bigint; readonly last: bigint } {
  const family = cidrFamily(subnet)
  const base = addressNumber(baseAddress(subnet))
  const size = 1n << BigInt(ADDRESS_BITS[family] - prefixLength(subnet))
  return { first: base + 1n, last: base + size - (family === 'ipv4' ? 2n : 1n) }
}
