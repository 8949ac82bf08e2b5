import { type Address, familyOf, parseAddress } from '#values/address.ts'
import { type Cidr, parseCidr } from '#values/cidr.ts'
import { isPort } from '#values/names.ts'

// Address text as kube-proxy's configuration allows it → our strict values.

/** Where a server listens. */
export interface Listen {
  readonly host: Address
  readonly port: number
}

/** kube-proxy reads leading zeros in an IPv4 address as decimal, where other programs refuse them or read octal. */
export function hasLeadingZeros(text: string): boolean {
  return text !== withoutLeadingZeros(text)
}

export function configuredAddress(text: string): Address | undefined {
  return parseAddress(withoutLeadingZeros(text))
}

export function configuredCidr(text: string): Cidr | undefined {
  return parseCidr(withoutLeadingZeros(text))
}

/** Both parts as text, sound or not; nothing where there is no port. */
export function splitHostPort(text: string): { readonly host: string; readonly port: string } | undefined {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):([^:]*)$/.exec(text)
  return match === null ? undefined : { host: match[1] ?? match[2] ?? '', port: match[3]! }
}

export function parseListen(text: string): Listen | undefined {
  const parts = splitHostPort(text)
  const host = configuredAddress(parts?.host ?? '')
  const port = parsePort(parts?.port ?? '')
  return host === undefined || port === undefined ? undefined : { host, port }
}

export function parsePort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : undefined
  return isPort(port) ? port : undefined
}

/** `10.0.0.1` → `10.0.0.1:10256`. What names a port already, or is no address, stays as it is. */
export function withPort(text: string, port: number): string {
  const address = configuredAddress(text)
  if (address === undefined) return text
  return familyOf(address) === 'ipv6' ? `[${text}]:${port}` : `${text}:${port}`
}

/** The ranges of `10.244.0.0/16,fd00::/48`, as text. */
export function splitRanges(text: string): readonly string[] {
  return text === '' ? [] : text.split(',').map(part => part.trim())
}

function withoutLeadingZeros(text: string): string {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)(\/\d+)?$/.exec(text)
  if (match === null) return text
  return match.slice(1, 5).map(Number).join('.') + (match[5] ?? '')
}
