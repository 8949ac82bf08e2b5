import { ADDRESS_BITS, type Address, familyOf, parseAddress } from '#values/address.ts'
import { type Cidr, parseCidr, prefixOf } from '#values/cidr.ts'
import type { Problems } from './checks.ts'

// Address texts of API objects → canonical values. Objects stored before Kubernetes became strict may hold leading
// zeros.
// kube-proxy reads them as decimal (ParseIPSloppy and ParseCIDRSloppy of k8s.io/utils/net); other programs read octal,
// or
// refuse them.

/** Adds no problem where it fails: what a wrong address means for the object is for the caller to say. */
export function addressIn(path: string, value: unknown, problems: Problems): Address | undefined {
  const strict = parseAddress(value)
  if (strict !== undefined || typeof value !== 'string') return strict
  const address = parseAddress(withoutLeadingZeros(value))
  if (address !== undefined) problems.warn(path, value, address)
  return address
}

export function addressAt(path: string, value: unknown, problems: Problems): Address | undefined {
  const address = addressIn(path, value, problems)
  if (address === undefined) problems.add(path, value, 'is not an IP address')
  return address
}

/** As addressIn. The length of the prefix may have leading zeros, too. */
export function cidrIn(path: string, value: unknown, problems: Problems): Cidr | undefined {
  const strict = cidrOf(value)
  if (strict !== undefined || typeof value !== 'string') return strict
  const cidr = cidrOf(withoutLeadingZeros(value))
  if (cidr !== undefined) problems.warn(path, value, cidr)
  return cidr
}

export function cidrAt(path: string, value: unknown, example: string, problems: Problems): Cidr | undefined {
  const cidr = cidrIn(path, value, problems)
  if (cidr === undefined) problems.add(path, value, `is not an address range like ${example}`)
  return cidr
}

/**
 * The prefix of an IPv4-mapped range is counted in 128 bits: `::ffff:10.0.0.0/104` is `10.0.0.0/8`, and /8 would be no
 * IPv4 range.
 */
function cidrOf(value: unknown): Cidr | undefined {
  const [, text, bits] = (typeof value === 'string' && /^(.*:.*)\/(\d{1,3})$/.exec(value)) || []
  const address = parseAddress(text)
  if (address === undefined || familyOf(address) === 'ipv6') return parseCidr(value)
  const length = Number(bits) - MAPPED_BITS
  return length >= 0 && length <= ADDRESS_BITS.ipv4 ? prefixOf(address, length) : undefined
}

/**
 * `172.30.0.041` → `172.30.0.41`, `fd00::000a1/064` → `fd00::a1/64`: each number for itself, and none becomes empty.
 */
function withoutLeadingZeros(text: string): string {
  return text.replace(/(?<![\da-f])0+(?=[\da-f])/gi, '')
}

const MAPPED_BITS = ADDRESS_BITS.ipv6 - ADDRESS_BITS.ipv4
