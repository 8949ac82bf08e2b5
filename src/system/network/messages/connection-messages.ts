import { addressBytes } from '#system/netlink/address-bytes.ts'
import { attribute, attributesIn, nest, numberAttribute } from '#system/netlink/message.ts'
import { type Address, type Family, familyOf } from '#values/address.ts'
import type { RouteRequest } from '../conversation.ts'

// Connections that the kernel tracks → messages, and back. Numbers are those of linux/netfilter/nfnetlink_conntrack.h.

const GET = (1 << 8) | 1
const DELETE = (1 << 8) | 2
const HEADER = 4
const FAMILY_NUMBERS = { ipv4: 2, ipv6: 10 } as const
const ORIGINAL = 1
/** What the first packet had; and what its answer has, which is where Services and masquerading show. */
const DIRECTIONS = [
  { tuple: ORIGINAL, flags: 1 },
  { tuple: 2, flags: 2 },
] as const
const ADDRESSES = 1
const SOURCE = { ipv4: 1, ipv6: 3 } as const
/** With the bit that says it holds attributes. */
const FILTER = 25 | 0x8000
const FILTER_BY_SOURCE = 1
const ID = 12
const ZONE = 18

/** Of so many addresses, asking for each costs less than looking at all connections. */
const FEW = 2

/**
 * Of the addresses of one family. IPv4 by source, once for each direction, where they are few. Of IPv6 all there are: its
 * filter leaves out what was asked for and lists the others, up to Linux 6.18 at least.
 */
export function listConnections(family: Family, addresses: readonly Address[]): readonly RouteRequest[] {
  const header = Buffer.alloc(HEADER)
  header[0] = FAMILY_NUMBERS[family]
  if (family === 'ipv6' || addresses.length > FEW) return [{ type: GET, header }]
  return addresses.flatMap(address => {
    const source = nest(ADDRESSES, [attribute(SOURCE.ipv4, addressBytes(address))])
    return DIRECTIONS.map(({ tuple, flags }) => {
      const filter = nest(FILTER, [numberAttribute(flags, FILTER_BY_SOURCE)])
      return { type: GET, header, attributes: [nest(tuple, [source]), filter] }
    })
  })
}

/** A kernel before 5.8 lists all there are whatever is asked, so each is looked at. */
export function deletionsOf(addresses: readonly Address[]): (body: Buffer) => readonly RouteRequest[] {
  const wanted = new Set(addresses.map(address => keyOf(addressBytes(address))))
  const attributeOf = SOURCE[familyOf(addresses[0]!)]
  return body => {
    const found = new Map(attributesIn(body, HEADER))
    const isWanted = DIRECTIONS.some(({ tuple }) => {
      const source = attributeIn(attributeIn(found.get(tuple), ADDRESSES), attributeOf)
      return source !== undefined && wanted.has(keyOf(source))
    })
    return isWanted ? [deletion(body, found)] : []
  }
}

/** Names it as the kernel did, down to its number: a connection that began since with the same ports is another. */
function deletion(body: Buffer, found: ReadonlyMap<number, Buffer>): RouteRequest {
  const kept = [ORIGINAL, ZONE, ID].flatMap(type => {
    const value = found.get(type)
    return value === undefined ? [] : [attribute(type, value)]
  })
  const header = Buffer.alloc(HEADER)
  header[0] = body[0]!
  return { type: DELETE, header, attributes: kept }
}

function attributeIn(nested: Buffer | undefined, wanted: number): Buffer | undefined {
  for (const [type, value] of attributesIn(nested ?? Buffer.of(), 0)) if (type === wanted) return value
  return undefined
}

function keyOf(bytes: Buffer): string {
  return bytes.toString('latin1')
}
