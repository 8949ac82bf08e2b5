import { protocolName } from '#dialects/nft-tree.ts'
import { rule } from '#dialects/words.ts'
import type { Unit } from '#proxy/modes/mode.ts'
import type { SetElement } from '#system/ports.ts'
import { type Address, addressFromNumber } from '#values/address.ts'
import { elementUnit } from './names.ts'

// Elements in the kernel's own bytes → units, in the very text we would write. A hundred thousand take a third of a second, and nft
// four times as long.

/** `types` as nft lists the declaration: `ipv4_addr . inet_proto . inet_service : verdict`. */
export function* elementUnits(
  container: string,
  types: string,
  elements: Iterable<SetElement>,
): Iterable<[unit: Unit, text: string]> {
  const [key = '', value = ''] = types.split(' : ')
  const [keyOf, mapped] = [reader(key), reader(value)]
  for (const { key: bytes, value: found, comment } of elements) {
    const says = typeof found === 'object' ? mapped(found) : found
    const text = rule(comment !== undefined && `comment "${comment}"`, says !== undefined && `: ${says}`)
    yield [elementUnit(container, keyOf(bytes)), text]
  }
}

/** How many bytes a type takes, padded to four, and what they say. */
interface FieldType {
  readonly bytes: number
  readonly says: (bytes: Buffer, at: number) => string
}

const FIELDS: Readonly<Record<string, FieldType>> = {
  ipv4_addr: { bytes: 4, says: (bytes, at) => `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}` },
  ipv6_addr: { bytes: 16, says: ipv6At },
  inet_proto: { bytes: 4, says: (bytes, at) => protocolName(bytes[at]!) },
  inet_service: { bytes: 4, says: (bytes, at) => `${bytes.readUInt16BE(at)}` },
  // Of a number that a rule draws, in the order of the machine.
  integer: { bytes: 4, says: (bytes, at) => `${bytes.readUInt32LE(at)}` },
}

function ipv6At(bytes: Buffer, at: number): Address {
  return addressFromNumber('ipv6', (bytes.readBigUInt64BE(at) << 64n) | bytes.readBigUInt64BE(at + 8))
}

/** Bytes that are not of this type come out as such: they are none of ours. */
function reader(types: string): (bytes: Buffer) => string {
  const fields = types.split(' . ').map(type => FIELDS[type])
  const length = fields.reduce((sum, field) => sum + (field?.bytes ?? 0), 0)
  return bytes => {
    if (fields.includes(undefined) || bytes.length < length - PADDING) return bytes.toString('hex')
    let at = 0
    let text = ''
    for (const field of fields) {
      text += at === 0 ? field!.says(bytes, at) : ` . ${field!.says(bytes, at)}`
      at += field!.bytes
    }
    return text
  }
}

/** A single field has none. */
const PADDING = 3
