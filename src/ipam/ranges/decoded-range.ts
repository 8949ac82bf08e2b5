import {
  ADDRESS_BITS,
  type Address,
  addressFromNumber,
  addressNumber,
  FAMILY_LABEL,
  type Family,
  familyOf,
  parseAddress,
} from '#values/address.ts'
import { baseAddress, type Cidr, cidrFamily, contains, parseCidr, prefixLength } from '#values/cidr.ts'
import { valueAt } from './folded-key.ts'
import { usableBounds } from './range-bounds.ts'
import type { RangeProblem } from './range-problem.ts'
import type { AddressRange } from './range-set.ts'

// One range as it is written → a range with its bounds and its gateway, or what is wrong with it.

export type DecodedRange =
  | { readonly ok: true; readonly range: AddressRange }
  | { readonly ok: false; readonly problems: readonly RangeProblem[] }

const EXAMPLE: Readonly<Record<Family, string>> = { ipv4: '10.244.1.0/24', ipv6: 'fd00:10:244:1::/64' }

/** The path is that of the object, the set the number in messages. */
export function decodedRange(value: unknown, path: string, set: number): DecodedRange {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return no([{ path, value, text: `${path} is not a range`, hint: `write {"subnet": "${EXAMPLE.ipv4}"}` }])
  }
  const keys = value as Readonly<Record<string, unknown>>
  const subnet = decodedSubnet(valueAt(keys, 'subnet'), `${path}.subnet`, set)
  if (typeof subnet !== 'string') return no([subnet])
  const ends = usualEnds(subnet)
  const range = { subnet, start: ends.start, end: ends.end, gateway: ends.start }
  const problems: RangeProblem[] = []
  for (const [key, field] of [
    ['rangeStart', 'start'],
    ['rangeEnd', 'end'],
    ['gateway', 'gateway'],
  ] as const) {
    const address = decodedAddress(valueAt(keys, key), `${path}.${key}`, cidrFamily(subnet))
    if (typeof address === 'object') problems.push(address)
    else range[field] = address ?? range[field]
  }
  if (problems.length === 0) problems.push(...boundProblems(range, path, set))
  return problems.length > 0 ? no(problems) : { ok: true, range }
}

function no(problems: readonly RangeProblem[]): DecodedRange {
  return { ok: false, problems }
}

/** A network where three addresses, the gateway's among them, can be used: smaller ones have none for a pod. */
function decodedSubnet(value: unknown, path: string, set: number): Cidr | RangeProblem {
  const wrong = (text: string, hint: string): RangeProblem => ({
    path,
    ...(value !== undefined && value !== null && { value }),
    text: `invalid range set ${set}: ${text}`,
    hint,
  })
  if (value === undefined || value === null) return wrong('subnet is missing', `write "subnet": "${EXAMPLE.ipv4}"`)
  const subnet = parseCidr(value)
  if (subnet === undefined) {
    const text = `invalid CIDR address: ${typeof value === 'string' ? value : JSON.stringify(value)}`
    return { path, value, text, hint: `write an address and the length of its prefix, as "${EXAMPLE.ipv4}"` }
  }
  const family = cidrFamily(subnet)
  const length = prefixLength(subnet)
  const longest = ADDRESS_BITS[family] - 2
  if (length > longest) return wrong(`Network ${subnet} too small to allocate from`, `write /${longest} or shorter`)
  if (parseAddress(String(value).split('/')[0]) !== baseAddress(subnet)) {
    const text = `Network has host bits set. For a subnet mask of length ${length} the network address is ${baseAddress(subnet)}`
    return wrong(text, `write "${subnet}"`)
  }
  if (hasMappedAddresses(subnet)) {
    return wrong(`Network ${subnet} has IPv4 addresses inside (::ffff:0:0/96)`, `write a network as "${EXAMPLE.ipv6}"`)
  }
  return subnet
}

/** An address there is read as an IPv4 address by every program, so a range must not reach it. */
function hasMappedAddresses(subnet: Cidr): boolean {
  if (cidrFamily(subnet) === 'ipv4') return false
  const base = addressNumber(baseAddress(subnet))
  return base <= 0xffff_ffff_ffffn && base + (1n << BigInt(128 - prefixLength(subnet))) > 0xffff_0000_0000n
}

/** Empty text is no address, as for the reference plugin. */
function decodedAddress(value: unknown, path: string, family: Family): Address | RangeProblem | undefined {
  if (value === undefined || value === null || value === '') return undefined
  const address = parseAddress(value)
  if (address === undefined) {
    const text = `invalid IP address: ${typeof value === 'string' ? value : JSON.stringify(value)}`
    return { path, value, text, hint: `write an ${FAMILY_LABEL[family]} address without a prefix` }
  }
  if (familyOf(address) === family) return address
  return {
    path,
    value,
    text: `${path} is not an ${FAMILY_LABEL[family]} address`,
    hint: `write an ${FAMILY_LABEL[family]} address, as the subnet has`,
  }
}

function usualEnds(subnet: Cidr): { readonly start: Address; readonly end: Address } {
  const { first, last } = usableBounds(subnet)
  const family = cidrFamily(subnet)
  return { start: addressFromNumber(family, first), end: addressFromNumber(family, last) }
}

/** A gateway may be outside of its subnet: a link-local one is reached all the same. */
function boundProblems({ subnet, start, end }: AddressRange, path: string, set: number): readonly RangeProblem[] {
  const outside = (key: string, value: Address, hint: string): RangeProblem => {
    const label = key === 'rangeStart' ? 'RangeStart' : 'RangeEnd'
    return {
      path: `${path}.${key}`,
      value,
      text: `invalid range set ${set}: ${label} ${value} not in network ${subnet}`,
      hint,
    }
  }
  const ends = usualEnds(subnet)
  const inside = `write an address from ${ends.start} to ${ends.end}`
  const problems: RangeProblem[] = []
  if (!contains(subnet, start)) problems.push(outside('rangeStart', start, inside))
  if (!contains(subnet, end)) problems.push(outside('rangeEnd', end, inside))
  if (problems.length === 0 && addressNumber(start) > addressNumber(end)) {
    problems.push(outside('rangeStart', start, `write one that is not after the range's end, ${end}`))
  }
  return problems
}
