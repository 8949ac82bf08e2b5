import { addressBytes, addressOf } from '#system/netlink/address-bytes.ts'
import { attribute, attributesIn, numberAttribute } from '#system/netlink/message.ts'
import { ADDRESS_BITS, addressFromNumber, addressNumber, familyOf } from '#values/address.ts'
import { contains, parseCidr } from '#values/cidr.ts'
import type { RouteRequest } from '../conversation.ts'
import type { AddressWithPrefix, InterfaceAddress } from '../network.ts'

// Addresses of links → messages, and back. Numbers are those of linux/if_addr.h.

const NEWADDR = 20
const DELADDR = 21
const GETADDR = 22
const MAKE = 0x400 | 0x200
const HEADER = 8
const ADDRESS = 1
const LOCAL = 2
const BROADCAST = 4
const FLAGS = 8
const NO_DAD = 0x02
const DAD_FAILED = 0x08
const TENTATIVE = 0x40
const HOST_SCOPE = 254
const SCOPES: Readonly<Record<number, string>> = { 0: 'global', 200: 'site', 253: 'link', 254: 'host', 255: 'nowhere' }
const FAMILY_NUMBERS = { ipv4: 2, ipv6: 10 } as const

export function newAddress(link: number, address: AddressWithPrefix & { readonly withoutDad?: true }): RouteRequest {
  const isIpv6 = familyOf(address.address) === 'ipv6'
  const attributes = [
    ...ownAttributes(address),
    ...broadcast(address),
    ...(isIpv6 && address.withoutDad ? [numberAttribute(FLAGS, NO_DAD)] : []),
  ]
  return { type: NEWADDR, flags: MAKE, header: addressHeader(link, address), attributes }
}

export function deletedAddress(link: number, address: AddressWithPrefix): RouteRequest {
  return { type: DELADDR, header: addressHeader(link, address), attributes: ownAttributes(address) }
}

/** Older kernels list those of all links all the same. */
export function listAddresses(link = 0): RouteRequest {
  const header = Buffer.alloc(HEADER)
  header.writeUInt32LE(link, 4)
  return { type: GETADDR, header }
}

/** None that is mapped from IPv4: it is no address of IPv4, and its prefix counts other bits. */
export function addressesOf(body: Buffer): readonly InterfaceAddress[] {
  const found = new Map(attributesIn(body, HEADER))
  // Of a point-to-point link, ADDRESS is the other end's.
  const bytes = found.get(LOCAL) ?? found.get(ADDRESS)
  if (bytes === undefined) return []
  const address = addressOf(bytes)
  if (FAMILY_NUMBERS[familyOf(address)] !== body[0]) return []
  const flags = found.get(FLAGS)?.readUInt32LE() ?? body[2]!
  return [
    {
      link: body.readUInt32LE(4),
      address,
      prefixLength: body[1]!,
      scope: SCOPES[body[3]!] ?? String(body[3]),
      isTentative: (flags & TENTATIVE) !== 0,
      hasDadFailed: (flags & DAD_FAILED) !== 0,
    },
  ]
}

const LOOPBACK = parseCidr('127.0.0.0/8')!

function addressHeader(link: number, { address, prefixLength }: AddressWithPrefix): Buffer {
  const header = Buffer.alloc(HEADER)
  header[0] = FAMILY_NUMBERS[familyOf(address)]
  header[1] = prefixLength
  header[3] = contains(LOOPBACK, address) ? HOST_SCOPE : 0
  header.writeUInt32LE(link, 4)
  return header
}

function ownAttributes({ address }: AddressWithPrefix): readonly Buffer[] {
  const bytes = addressBytes(address)
  return [attribute(LOCAL, bytes), attribute(ADDRESS, bytes)]
}

/** The kernel knows none by itself; a network of two addresses has none. */
function broadcast({ address, prefixLength }: AddressWithPrefix): readonly Buffer[] {
  const free = BigInt(ADDRESS_BITS.ipv4 - prefixLength)
  if (familyOf(address) === 'ipv6' || free < 2n) return []
  const last = addressNumber(address) | ((1n << free) - 1n)
  return [attribute(BROADCAST, addressBytes(addressFromNumber('ipv4', last)))]
}
