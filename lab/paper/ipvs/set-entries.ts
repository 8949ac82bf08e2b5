import { type Address, type Family, familyOf, parseAddress } from '#values/address.ts'
import { hostCidr, parseCidr } from '#values/cidr.ts'
import { PROTOCOLS } from '#values/protocol.ts'

// The words of an ipset entry → the entry as ipset prints it, or why the tool or the kernel refuses it.

export class SetRefusal extends Error {}

export type SetFamily = Family | 'any'

const COUNTS = ['', 'First', 'Second', 'Third']

/** `hash:ip,port` and `10.96.0.10,tcp:80` → the entry. */
export function entryOf(type: string, family: SetFamily, text: string): string {
  const elements = type.slice(type.indexOf(':') + 1).split(',')
  if (type === 'bitmap:port') return portOf(text)
  const words = text.split(',')
  if (words.length < elements.length) {
    throw new SetRefusal(`Syntax error: ${COUNTS[words.length + 1]} element is missing from ${text}.`)
  }
  if (words.length > elements.length) {
    throw new SetRefusal(`Syntax error: Two elem separators in ${text}, but settype ${type} supports one.`)
  }
  return elements.map((element, i) => elementOf(element, family, words[i]!)).join(',')
}

function elementOf(element: string, family: SetFamily, word: string): string {
  if (element === 'port') return protocolAndPort(word)
  return element === 'net' ? netOf(family, word) : addressOf(family, word)
}

function addressOf(family: SetFamily, word: string): Address {
  const address = parseAddress(word)
  if (address !== undefined && familyOf(address) === family) return address
  const label = family === 'ipv6' ? 'IPv6' : 'IPv4'
  throw new SetRefusal(`Syntax error: cannot parse ${word}: resolving to ${label} address failed`)
}

function netOf(family: SetFamily, word: string): string {
  if (!word.includes('/')) return addressOf(family, word)
  const range = parseCidr(word)
  const base = addressOf(family, word.slice(0, word.indexOf('/')))
  if (range === undefined) throw new SetRefusal(`Syntax error: ${word} is out of range`)
  return range === hostCidr(base) ? base : range
}

function protocolAndPort(word: string): string {
  const [protocol, port] = word.includes(':') ? (word.split(':') as [string, string]) : ['tcp', word]
  if (!PROTOCOLS.some(known => known === protocol)) {
    throw new SetRefusal(`Syntax error: cannot parse '${protocol}' as a protocol`)
  }
  return `${protocol}:${portOf(port)}`
}

function portOf(word: string): string {
  if (/^\d+$/.test(word) && Number(word) < 65_536) return `${Number(word)}`
  throw new SetRefusal(`Syntax error: '${word}' is out of range 0-65535`)
}
