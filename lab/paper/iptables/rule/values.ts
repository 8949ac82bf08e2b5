import { isIPv4 } from 'node:net'
import { notUnderstood, usage } from '#lab/paper/iptables/refused.ts'
import { type Address, type Family, familyOf, parseAddress } from '#values/address.ts'
import { parseCidr } from '#values/cidr.ts'
import type { RuleContext } from './extension.ts'

// The values of options: text as it may be written → text as iptables-save prints it.

/** `10.1.2.3/8` → `10.0.0.0/8`; all addresses → nothing. */
export function network(text: string, { family }: Pick<RuleContext, 'family'>): string | undefined {
  if (text.includes(',')) throw notUnderstood(`several networks in one word, "${text}"`)
  const [host = '', mask, ...more] = text.split('/')
  const address = strictAddress(host, family)
  if (address === undefined || more.length > 0) throw usage(`host/network \`${host}' not found`)
  const bits = mask === undefined ? widest(family) : maskBits(mask, family)
  return bits === 0 ? undefined : parseCidr(`${address}/${bits}`)!
}

/** Spellings that a C library alone reads, such as `10.1` for 10.0.0.1, are refused as not understood. */
export function strictAddress(text: string, family: Family): Address | undefined {
  if (/^[\dxa-f.]+$/i.test(text) && !isIPv4(text) && !/^((0|[1-9]\d*)\.){3}(0|[1-9]\d*)$/.test(text)) {
    throw notUnderstood(`the address "${text}"`)
  }
  if (text.includes(':') && text.includes('.')) throw notUnderstood(`the address "${text}"`)
  const address = parseAddress(text)
  return address !== undefined && familyOf(address) === family ? address : undefined
}

function widest(family: Family): number {
  return family === 'ipv4' ? 32 : 128
}

function maskBits(mask: string, family: Family): number {
  if (/^\d+$/.test(mask) && Number(mask) <= widest(family)) return Number(mask)
  if (/^(255|254|252|248|240|224|192|128|0)\./.test(mask)) return dottedBits(mask)
  throw usage(`invalid mask \`${mask}' specified`)
}

function dottedBits(mask: string): number {
  const bits = mask
    .split('.')
    .map(octet => Number(octet).toString(2).padStart(8, '0'))
    .join('')
  if (!isIPv4(mask) || !/^1*0*$/.test(bits)) throw notUnderstood(`the mask "${mask}"`)
  return bits.lastIndexOf('1') + 1
}

export function interfaceName(text: string): string | undefined {
  if (text === '') throw usage('Empty interface is likely to be undesired')
  if (text.length > 15) throw usage(`interface name \`${text}' must be shorter than IFNAMSIZ (15)`)
  if (!/^[\w.:@-]*\+?$/.test(text)) throw notUnderstood(`the interface name "${text}"`)
  return text === '+' ? undefined : text
}

const PROTOCOL_NAMES: Readonly<Record<string, string>> = {
  ...{ tcp: 'tcp', udp: 'udp', sctp: 'sctp', icmp: 'icmp', 'ipv6-icmp': 'ipv6-icmp', icmpv6: 'ipv6-icmp' },
  ...{ '1': 'icmp', '6': 'tcp', '17': 'udp', '58': 'ipv6-icmp', '132': 'sctp' },
}

export function protocolName(text: string): string {
  const name = text.toLowerCase()
  if (PROTOCOL_NAMES[name] !== undefined) return PROTOCOL_NAMES[name]
  if (/^\d+$/.test(name) ? Number(name) > 255 : /bogus|unknown/.test(name)) {
    throw usage(`unknown protocol "${name}" specified`)
  }
  throw notUnderstood(`the protocol "${text}"`)
}

/** `80`, `80:90`; all ports → nothing. */
export function ports(text: string): string | undefined {
  const [first = '', last, ...more] = text.split(':')
  if (more.length > 0) throw usage(`invalid port/service \`${text}' specified`)
  const from = first === '' && last !== undefined ? 0 : port(first)
  const to = last === undefined ? from : last === '' ? 65535 : port(last)
  if (from > to) throw usage('invalid portrange (min > max)')
  if (from === 0 && to === 65535) return undefined
  return from === to ? `${from}` : `${from}:${to}`
}

/** For UDP, iptables 1.8.9 takes 70000 and makes it 4464. That is not imitated. */
function port(text: string): number {
  if (/^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65535) return Number(text)
  throw usage(`invalid port/service \`${text}' specified`)
}

/** `80`, `80-90`, as NAT targets write ports. */
export function natPorts(text: string): string {
  const [first = '', last, ...more] = text.split('-')
  for (const one of [first, last ?? first]) {
    if (!/^(0|[1-9]\d{0,4})$/.test(one) || Number(one) > 65535 || more.length > 0)
      throw usage(`Port \`${text}' not valid`)
  }
  if (Number(last ?? first) < Number(first)) throw usage(`Port range \`${last}' funky`)
  return text
}

/** `10.1.0.4:8080`, `[fd00::1]:80`, `10.1.0.4`, `fd00::1`. */
export function natAddress(text: string, { family }: RuleContext): string {
  const match = (family === 'ipv4' ? /^([^:]*)(?::(.*))?$/ : /^(?:\[([^\]]*)\]|([^[\]]*))(?::(.*))?$/).exec(text)
  if (match === null || (family === 'ipv4' && text.includes('['))) throw usage('Invalid address format')
  const [host, range] =
    family === 'ipv4' ? [match[1]!, match[2]] : [match[1] ?? text, match[1] === undefined ? undefined : match[3]]
  if (host === '' || host.includes('-')) throw notUnderstood(`the address "${text}"`)
  const address = strictAddress(host, family)
  if (address === undefined) throw usage(`Bad IP address "${host}"`)
  if (range === undefined) return address
  return `${family === 'ipv4' ? address : `[${address}]`}:${natPorts(range)}`
}

export function natHasPort(printed: string, family: Family): boolean {
  return family === 'ipv4' ? printed.includes(':') : printed.includes(']')
}

/** A 32-bit number, decimal or hexadecimal. */
export function uint32(text: string, complaint: string): number {
  if (/^0\d/.test(text)) throw notUnderstood(`the octal number "${text}"`)
  const value = /^(0x[\da-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN
  if (!(value <= 0xffffffff)) throw usage(complaint)
  return value
}

export interface Mark {
  readonly value: number
  readonly mask: number
}

export function mark(text: string, complaint: string): Mark {
  const [value = '', mask, ...more] = text.split('/')
  if (more.length > 0) throw usage(complaint)
  return { value: uint32(value, complaint), mask: mask === undefined ? 0xffffffff : uint32(mask, complaint) }
}

export function hex(value: number): string {
  return `0x${(value >>> 0).toString(16)}`
}

/** Words of a fixed list, each once and in the list's order, whatever the order and case they were given in. */
export function listOf(text: string, known: readonly string[], complaint: (word: string) => string): string {
  const words = text.toUpperCase().split(',')
  for (const [i, word] of words.entries()) if (!known.includes(word)) throw usage(complaint(text.split(',')[i]!))
  return known.filter(word => words.includes(word)).join(',')
}
