import { isIPv4, isIPv6 } from 'node:net'

// Text → a canonical IP address, or nothing. Only this file makes an Address, so an Address is safe in a rule.

export type Family = 'ipv4' | 'ipv6'
export const FAMILIES: readonly Family[] = ['ipv4', 'ipv6']

/** A canonical IP address: dotted decimal without leading zeros, or RFC 5952 text. */
export type Address = string & { readonly __brand: 'Address' }

export const ADDRESS_BITS: Record<Family, number> = { ipv4: 32, ipv6: 128 }
export const FAMILY_LABEL: Record<Family, 'IPv4' | 'IPv6'> = { ipv4: 'IPv4', ipv6: 'IPv6' }

/** Strict: no leading zeros, no zone, no space around it. IPv4-mapped IPv6 text becomes the IPv4 address, as in Go. */
export function parseAddress(text: unknown): Address | undefined {
  if (typeof text !== 'string') return undefined
  if (isIPv4(text)) return text as Address
  if (!isIPv6(text) || text.includes('%')) return undefined
  return addressFromNumber('ipv6', addressNumber(text as Address))
}

export function familyOf(address: Address): Family {
  return address.includes(':') ? 'ipv6' : 'ipv4'
}

export function isLoopback(address: Address): boolean {
  return address === '::1' || address.startsWith('127.')
}

/** The address as an unsigned integer, for masks and ranges. */
export function addressNumber(address: Address): bigint {
  if (!address.includes(':')) return BigInt(ipv4Number(address))
  let text: string = address
  const dot = text.lastIndexOf('.')
  if (dot >= 0) {
    const colon = text.lastIndexOf(':')
    const n = ipv4Number(text.slice(colon + 1) as Address)
    text = `${text.slice(0, colon + 1)}${(n >>> 16).toString(16)}:${(n & 0xffff).toString(16)}`
  }
  const [head = '', tail] = text.split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const gap = tail === undefined ? 0 : 8 - front.length - back.length
  const groups = [...front, ...Array<string>(gap).fill('0'), ...back]
  return groups.reduce((sum, group) => (sum << 16n) | BigInt(Number.parseInt(group, 16)), 0n)
}

export function addressFromNumber(family: Family, value: bigint): Address {
  if (family === 'ipv4') return ipv4Text(Number(value))
  if (value >> 32n === 0xffffn) return ipv4Text(Number(value & 0xffffffffn))
  const groups = Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(112 - 16 * i)) & 0xffffn))
  const { start, length } = longestZeroRun(groups)
  if (length < 2) return groups.map(hex).join(':') as Address
  const front = groups.slice(0, start).map(hex).join(':')
  const back = groups
    .slice(start + length)
    .map(hex)
    .join(':')
  return `${front}::${back}` as Address
}

/** `10.0.0.1:80`, `[fd00::1]:80`: how an endpoint is written, hashed and sorted. */
export function hostPort(ip: Address, port: number): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`
}

function ipv4Number(text: string): number {
  let value = 0
  let octet = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 46) {
      value = value * 256 + octet
      octet = 0
    } else octet = octet * 10 + code - 48
  }
  return value * 256 + octet
}

function ipv4Text(value: number): Address {
  return `${(value >>> 24) & 255}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}` as Address
}

function hex(group: number): string {
  return group.toString(16)
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  for (let i = 0; i < groups.length; i++) {
    let end = i
    while (end < groups.length && groups[end] === 0) end++
    if (end - i > best.length) best = { start: i, length: end - i }
    if (end > i) i = end
  }
  return best
}
