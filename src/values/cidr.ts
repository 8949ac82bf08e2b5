import {
  ADDRESS_BITS,
  type Address,
  addressFromNumber,
  addressNumber,
  type Family,
  familyOf,
  parseAddress,
} from './address.ts'

// Text → an address range, masked to its base, or nothing.

/** A canonical range: `10.244.0.0/16`, `fd00::/64`. */
export type Cidr = string & { readonly __brand: 'Cidr' }

/** Strict text, host bits allowed and cleared: `10.1.2.3/8` is `10.0.0.0/8`, as iptables and Go treat it. */
export function parseCidr(text: unknown): Cidr | undefined {
  if (typeof text !== 'string') return undefined
  const match = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text)
  const address = parseAddress(match?.[1])
  if (match === null || address === undefined) return undefined
  const family = familyOf(address)
  const bits = Number(match[2])
  if (family === 'ipv4' && text.includes(':')) return mappedRange(address, bits)
  if (bits > ADDRESS_BITS[family]) return undefined
  return prefixOf(address, bits)
}

/** The range that holds just this address. */
export function hostCidr(address: Address): Cidr {
  return `${address}/${ADDRESS_BITS[familyOf(address)]}` as Cidr
}

/** The range of the given length that holds this address. */
export function prefixOf(address: Address, bits: number): Cidr {
  return `${addressFromNumber(familyOf(address), masked(address, bits))}/${bits}` as Cidr
}

export function cidrFamily(cidr: Cidr): Family {
  return cidr.includes(':') ? 'ipv6' : 'ipv4'
}

export function prefixLength(cidr: Cidr): number {
  return Number(cidr.slice(cidr.indexOf('/') + 1))
}

export function baseAddress(cidr: Cidr): Address {
  return cidr.slice(0, cidr.indexOf('/')) as Address
}

export function contains(cidr: Cidr, address: Address): boolean {
  if (cidrFamily(cidr) !== familyOf(address)) return false
  return masked(address, prefixLength(cidr)) === addressNumber(baseAddress(cidr))
}

/** Whether one of the two ranges lies inside the other. */
export function overlaps(a: Cidr, b: Cidr): boolean {
  return prefixLength(a) <= prefixLength(b) ? contains(a, baseAddress(b)) : contains(b, baseAddress(a))
}

/** Written as IPv6, its bits count from the start of the IPv6 address: `::ffff:10.0.0.0/104` is `10.0.0.0/8`, as Go prints it. */
function mappedRange(address: Address, bits: number): Cidr | undefined {
  if (bits > ADDRESS_BITS.ipv6) return undefined
  if (bits >= 96) return prefixOf(address, bits - 96)
  const free = BigInt(ADDRESS_BITS.ipv6 - bits)
  const value = (0xffffn << 32n) | addressNumber(address)
  return `${addressFromNumber('ipv6', (value >> free) << free)}/${bits}` as Cidr
}

function masked(address: Address, bits: number): bigint {
  const free = BigInt(ADDRESS_BITS[familyOf(address)] - bits)
  return (addressNumber(address) >> free) << free
}
