import { type Address, hostPort, parseAddress } from '#values/address.ts'
import { type Cidr, parseCidr } from '#values/cidr.ts'
import { isPort, type ObjectName, type PortName, parseObjectName, parsePortName } from '#values/names.ts'
import { PROTOCOLS, type Protocol } from '#values/protocol.ts'
import { type Line, StoryError } from './lines.ts'

// Single words of a story → the values they name, or an error that says what would be right.

export function addressAt(line: Line, word: string | undefined): Address {
  return known(line, parseAddress(word), word, 'an IP address')
}

export function cidrAt(line: Line, word: string | undefined): Cidr {
  return known(line, parseCidr(word), word, 'a range like 10.244.0.0/16')
}

export function objectAt(line: Line, word: string | undefined): ObjectName {
  const [namespace, name, ...more] = (word ?? '').split('/')
  const parsed = more.length === 0 && name !== undefined ? parseObjectName(namespace, name) : undefined
  return known(line, parsed, word, 'a name like shop/cart')
}

export function portNameAt(line: Line, word: string): PortName {
  return known(line, parsePortName(word), word, 'the name of a port')
}

export function portAt(line: Line, word: string | undefined): number {
  const number = /^\d+$/.test(word ?? '') ? Number(word) : undefined
  return known(line, isPort(number) ? number : undefined, word, 'a port from 1 to 65535')
}

/** `80`, `53/udp` */
export function portOfProtocolAt(line: Line, word: string | undefined): { port: number; protocol: Protocol } {
  const [port, protocol = 'tcp', ...more] = (word ?? '').split('/')
  const isKnown = more.length === 0 && (PROTOCOLS as readonly string[]).includes(protocol)
  if (!isKnown) throw unknown(line, word, 'a port like 80, 53/udp or 9000/sctp')
  return { port: portAt(line, port), protocol: protocol as Protocol }
}

/** `10.96.0.10:53/udp`, `[fd10:96::10]:80` */
export function frontendAt(line: Line, word: string | undefined): { to: Address; port: number; protocol: Protocol } {
  const [, six, four, port] = /^(?:\[([^\]]+)\]|([^:]+)):(.+)$/.exec(word ?? '') ?? []
  if (port === undefined) throw unknown(line, word, 'an address and port like 10.96.0.10:80 or [fd10:96::10]:53/udp')
  return { to: addressAt(line, six ?? four), ...portOfProtocolAt(line, port) }
}

/** `10.244.1.5:8080`, as endpoints are written. */
export function endpointTextAt(line: Line, word: string | undefined): string {
  if (word?.includes('/') === true) throw unknown(line, word, 'an endpoint like 10.244.1.5:8080')
  const { to, port } = frontendAt(line, word)
  return hostPort(to, port)
}

export function secondsAt(line: Line, word: string | undefined): number {
  const [, number] = /^(\d+)s$/.exec(word ?? '') ?? []
  return known(line, number === undefined ? undefined : Number(number), word, 'seconds like 60s')
}

export function momentAt(line: Line, word: string | undefined): number {
  const moment = /^\d{4}-\d\d-\d\d(?:T[\d:]+Z)?$/.test(word ?? '') ? Date.parse(word!) : Number.NaN
  return known(
    line,
    Number.isNaN(moment) ? undefined : moment,
    word,
    'a day like 2026-01-31 or a moment like 2026-01-31T12:00:00Z',
  )
}

export function oneOf<T extends string>(line: Line, word: string | undefined, all: readonly T[]): T {
  return known(
    line,
    all.find(one => one === word),
    word,
    `one of ${all.join(', ')}`,
  )
}

export function wordsOf(text: string): readonly string[] {
  return text.split(/\s+/).filter(word => word !== '')
}

export function unknown(line: Line, word: string | undefined, wanted: string): StoryError {
  return new StoryError(line, word === undefined || word === '' ? `expected ${wanted}` : `"${word}" is not ${wanted}`)
}

function known<T>(line: Line, value: T | undefined, word: string | undefined, wanted: string): T {
  if (value === undefined) throw unknown(line, word, wanted)
  return value
}
