import { addressBytes, addressOf } from '#system/netlink/address-bytes.ts'
import { attribute, attributesIn } from '#system/netlink/message.ts'
import { familyOf } from '#values/address.ts'
import type { RouteRequest } from '../conversation.ts'
import type { Neighbour, Tunnel } from '../neighbours.ts'
import { macBytes, macText } from './mac.ts'

// Neighbours and entries of forwarding databases → messages, and back. Numbers are those of linux/neighbour.h.

const NEWNEIGH = 28
const DELNEIGH = 29
const GETNEIGH = 30
const CREATE_OR_REPLACE = 0x400 | 0x100
const HEADER = 12
const DESTINATION = 1
const MAC = 2
const PERMANENT = 0x80
/** The entry is of the link itself, not of a bridge above it. */
const SELF = 2
const AF_BRIDGE = 7
const FAMILY_NUMBERS = { ipv4: 2, ipv6: 10 } as const
/** The entry of a VXLAN for frames to whom none is known. */
const ALL_OTHERS = '00:00:00:00:00:00'

export function setNeighbour(link: number, { address, mac }: Neighbour): RouteRequest {
  const header = headerOf({ family: FAMILY_NUMBERS[familyOf(address)], link, state: PERMANENT })
  const attributes = [attribute(DESTINATION, addressBytes(address)), attribute(MAC, macBytes(mac))]
  return { type: NEWNEIGH, flags: CREATE_OR_REPLACE, header, attributes }
}

export function deletedNeighbour(link: number, { address }: Pick<Neighbour, 'address'>): RouteRequest {
  const header = headerOf({ family: FAMILY_NUMBERS[familyOf(address)], link })
  return { type: DELNEIGH, header, attributes: [attribute(DESTINATION, addressBytes(address))] }
}

export function setTunnel(link: number, tunnel: Tunnel): RouteRequest {
  const header = headerOf({ family: AF_BRIDGE, link, state: PERMANENT, flags: SELF })
  return { type: NEWNEIGH, flags: CREATE_OR_REPLACE, header, attributes: tunnelAttributes(tunnel) }
}

export function deletedTunnel(link: number, tunnel: Tunnel): RouteRequest {
  const header = headerOf({ family: AF_BRIDGE, link, flags: SELF })
  return { type: DELNEIGH, header, attributes: tunnelAttributes(tunnel) }
}

/** Of every link, and of every family the kernel has; there is no shorter list that all kernels have. */
export const ALL_NEIGHBOURS: RouteRequest = { type: GETNEIGH, header: headerOf({ family: 0 }) }

/** Of every link. */
export const ALL_TUNNELS: RouteRequest = { type: GETNEIGH, header: headerOf({ family: AF_BRIDGE }) }

export function neighboursOf(body: Buffer, link: number): readonly Neighbour[] {
  const found = entryOf(body, link)
  if (found === undefined || !IP_FAMILIES.includes(body[0]!)) return []
  const [address, mac] = [found.get(DESTINATION), found.get(MAC)]
  return address === undefined || mac === undefined ? [] : [{ address: addressOf(address), mac: macText(mac) }]
}

export function tunnelsOf(body: Buffer, link: number): readonly Tunnel[] {
  const found = entryOf(body, link)
  if (found === undefined || body[0] !== AF_BRIDGE) return []
  const [host, mac] = [found.get(DESTINATION), found.get(MAC)]
  if (host === undefined || mac === undefined || macText(mac) === ALL_OTHERS) return []
  return [{ host: addressOf(host), mac: macText(mac) }]
}

const IP_FAMILIES: readonly number[] = Object.values(FAMILY_NUMBERS)

/** Undefined for what the kernel has found out by itself. */
function entryOf(body: Buffer, link: number): ReadonlyMap<number, Buffer> | undefined {
  if (body.readInt32LE(4) !== link || (body.readUInt16LE(8) & PERMANENT) === 0) return undefined
  return new Map(attributesIn(body, HEADER))
}

function tunnelAttributes({ mac, host }: Tunnel): readonly Buffer[] {
  return [attribute(MAC, macBytes(mac)), attribute(DESTINATION, addressBytes(host))]
}

interface HeaderFields {
  readonly family: number
  readonly link?: number
  readonly state?: number
  readonly flags?: number
}

function headerOf({ family, link = 0, state = 0, flags = 0 }: HeaderFields): Buffer {
  const header = Buffer.alloc(HEADER)
  header[0] = family
  header.writeInt32LE(link, 4)
  header.writeUInt16LE(state, 8)
  header[10] = flags
  return header
}
