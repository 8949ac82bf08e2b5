import { ones, parseIp, parseMask, prefixLength, showIp } from './ip.ts'

// An address, a network, a range → the text iptables prints for it. A host name stays as it is.

/** `10.1.2.3/255.255.0.0` → `10.1.0.0/16`, `10.1.2.3` → `10.1.2.3/32`; several, divided by commas, each. */
export function network(value: string): string {
  if (value.includes(',')) return value.split(',').map(network).join(',')
  const parsed = parseNetwork(value)
  if (parsed === undefined) return value
  const { bytes, mask } = parsed
  return `${showIp(bytes.map((byte, i) => byte & mask[i]!))}/${prefixLength(mask) ?? showIp(mask)}`
}

/** As conntrack, ipvs and policy print: the mask only where it says something, the address as it was given. */
export function hostOrNetwork(value: string): string {
  const parsed = parseNetwork(value)
  if (parsed === undefined) return value
  const { bytes, mask } = parsed
  const bits = prefixLength(mask)
  return bits === bytes.length * 8 ? showIp(bytes) : `${showIp(bytes)}/${bits ?? showIp(mask)}`
}

/** A single address. */
export function address(value: string): string {
  const bytes = parseIp(value)
  return bytes === undefined ? value : showIp(bytes)
}

/** `-m iprange` always prints both ends. */
export function addressRange(value: string): string {
  const ends = value.split('-')
  return ends.length > 2 ? value : `${address(ends[0]!)}-${address(ends.at(-1)!)}`
}

/** Where NAT sends a packet: `10.0.0.1-10.0.0.5:80-90`, `[fd00::1]:80`, `:80`. */
export function natRange(value: string): string {
  const match = /^\[(.*)\](?::(.*))?$/.exec(value) ?? /^([^:]*)(?::([^:]*))?$/.exec(value) ?? /^(.*)$/.exec(value)
  const [, ips = '', ports] = match ?? []
  const range = bothEnds(ips, address)
  if (ports === undefined) return range
  return `${range.includes(':') ? `[${range}]` : range}:${natPorts(ports)}`
}

/** `80-80` → `80`; a shifted range `10-20/30` keeps its base. */
export function natPorts(value: string): string {
  const [range = '', ...base] = value.split('/')
  return [bothEnds(range, port => port), ...base].join('/')
}

function bothEnds(value: string, say: (end: string) => string): string {
  const ends = value.split('-')
  if (ends.length > 2) return value
  const [from = '', to] = ends.map(say)
  return to === undefined || to === from ? from : `${from}-${to}`
}

function parseNetwork(value: string) {
  const slash = value.indexOf('/')
  const bytes = parseIp(slash < 0 ? value : padded(value.slice(0, slash)))
  if (bytes === undefined) return undefined
  const mask = slash < 0 ? ones(bytes.length * 8, bytes.length) : parseMask(value.slice(slash + 1), bytes.length)
  return mask && { bytes, mask }
}

/** In front of a mask, iptables reads `10.1` as `10.1.0.0`. */
function padded(text: string): string {
  return /^\d+(\.\d+){0,2}$/.test(text) ? text + '.0'.repeat(4 - text.split('.').length) : text
}
