import { addressOf } from '#system/netlink/address-bytes.ts'
import { attribute, byteAttribute, nest, numberAttribute } from '#system/netlink/message.ts'
import type { Flow, StaleFlows } from '#system/ports.ts'
import type { Address } from '#values/address.ts'
import type { RouteRequest } from '../conversation.ts'

// Stale flows → the messages that list connections which may be among them, and of each that is, the one that deletes it. There may
// be a hundred thousand, most of them of no interest: so nothing is made of one before its ports are known.

const GET = (1 << 8) | 1
const DELETE = (1 << 8) | 2
const HEADER = 4
const ATTRIBUTE_HEADER = 4
const TYPE_BITS = 0x3fff
const FAMILY_NUMBERS = { ipv4: 2, ipv6: 10 } as const
const PROTOCOL_NUMBERS = { tcp: 6, udp: 17, sctp: 132 } as const

/** Of a connection. */
const [ORIGINAL, REPLY, STATUS, STATE, ID, ZONE, STATUS_MASK] = [1, 2, 3, 4, 12, 18, 26]
/** Of each of the two: the packet as the client sent it, and as its answer comes. */
const [ADDRESSES, PROTOCOL] = [1, 2]
const SOURCE = { ipv4: 1, ipv6: 3 } as const
const DESTINATION = { ipv4: 2, ipv6: 4 } as const
const [NUMBER, SOURCE_PORT, DESTINATION_PORT] = [1, 2, 3]
/** With the bit that says it holds attributes. */
const FILTER = 25 | 0x8000
const FILTER_WAYS = { toPort: 1, answeredByPort: 2 } as const
const FILTER_BY = { protocol: 8, sourcePort: 16, destinationPort: 32 } as const
/** Both ways have been seen: such a connection is not half open. */
const ASSURED = 4
const TCP = 1
const TCP_STATE = 1
const SYN_SENT = 1

/**
 * Up to so many ports, a list for each is asked for. The kernel passes over 100,000 connections in 30 ms, and to look at each here
 * takes 200; but a table that is almost empty takes 6 ms each time, because the kernel passes over 262,144 places in it.
 */
const FEW = 2

/** A list, and what is looked for in it. */
export interface FlowList {
  readonly request: RouteRequest
  readonly stale: StaleFlows
}

/** Kernels before 5.8 list everything whatever is asked for, and every kernel all ports of SCTP: so each flow is looked at. */
export function listFlows(stale: StaleFlows): readonly FlowList[] {
  if (stale.ports.size > FEW) return [{ request: listOf(stale), stale }]
  return [...stale.ports].map(port => ({ request: listOf(stale, port), stale: { ...stale, ports: new Set([port]) } }))
}

function listOf({ family, protocol, by }: StaleFlows, port?: number): RouteRequest {
  const isTo = by === 'toPort'
  const number = byteAttribute(NUMBER, PROTOCOL_NUMBERS[protocol])
  const ports = port === undefined ? [] : [attribute(isTo ? DESTINATION_PORT : SOURCE_PORT, bigEndian(port, 2))]
  const byPort = port === undefined ? 0 : FILTER_BY[isTo ? 'destinationPort' : 'sourcePort']
  const attributes = [
    nest(isTo ? ORIGINAL : REPLY, [nest(PROTOCOL, [number, ...ports])]),
    nest(FILTER, [numberAttribute(FILTER_WAYS[by], FILTER_BY.protocol | byPort)]),
    ...(protocol === 'tcp' ? [attribute(STATUS, bigEndian(0, 4)), attribute(STATUS_MASK, bigEndian(ASSURED, 4))] : []),
  ]
  return { type: GET, header: headerOf(FAMILY_NUMBERS[family]), attributes }
}

/**
 * What deletes a connection that is stale, made of the bytes of its message. It names the connection as the kernel did, down to its
 * number: one that began since with the same ports is another.
 */
export function deletionsOf(stale: StaleFlows): (body: Buffer) => readonly RouteRequest[] {
  const addresses = new Addresses()
  return body => {
    const flow = flowIn(body, stale, addresses)
    if (flow === undefined || !stale.isStale(flow)) return NONE
    const attributes = [ORIGINAL, ZONE, ID].flatMap(type => wholeAt(body, placeIn(body, HEADER, body.length, type)))
    return [{ type: DELETE, header: headerOf(FAMILY_NUMBERS[stale.family]), attributes }]
  }
}

const NONE: readonly RouteRequest[] = []

/** Undefined where the ports are not among those that are looked for, or the connection is of another kind. */
function flowIn(body: Buffer, { family, protocol, by, ports }: StaleFlows, addresses: Addresses): Flow | undefined {
  const original = placeIn(body, HEADER, body.length, ORIGINAL)
  const asked = placeWithin(body, original, PROTOCOL)
  if (byteAt(body, placeWithin(body, asked, NUMBER)) !== PROTOCOL_NUMBERS[protocol]) return undefined
  const reply = placeIn(body, HEADER, body.length, REPLY)
  const answer = placeWithin(body, reply, PROTOCOL)
  const toPort = portAt(body, placeWithin(body, asked, DESTINATION_PORT))
  const answeredByPort = portAt(body, placeWithin(body, answer, SOURCE_PORT))
  if (!ports.has(by === 'toPort' ? toPort : answeredByPort)) return undefined
  if (protocol === 'tcp' && !isHalfOpen(body)) return undefined
  const to = addresses.at(body, placeWithin(body, placeWithin(body, original, ADDRESSES), DESTINATION[family]))
  const answeredBy = addresses.at(body, placeWithin(body, placeWithin(body, reply, ADDRESSES), SOURCE[family]))
  return to && answeredBy && { protocol, to, toPort, answeredBy, answeredByPort }
}

/** In the state that `conntrack` calls SYN_SENT. */
function isHalfOpen(body: Buffer): boolean {
  const tcp = placeWithin(body, placeIn(body, HEADER, body.length, STATE), TCP)
  return byteAt(body, placeWithin(body, tcp, TCP_STATE)) === SYN_SENT
}

/** The texts of addresses by their bytes: few addresses answer, and what is asked for is few as well. */
class Addresses {
  readonly #texts = new Map<string, Address>()

  at(body: Buffer, place: number): Address | undefined {
    if (place < 0) return undefined
    const [from, end] = [place + ATTRIBUTE_HEADER, place + lengthAt(body, place)]
    const bytes = body.toString('latin1', from, end)
    const known = this.#texts.get(bytes)
    if (known !== undefined) return known
    const text = addressOf(body.subarray(from, end))
    this.#texts.set(bytes, text)
    return text
  }
}

/** Where the attribute of this type stands among those between two places; -1 where there is none. */
function placeIn(body: Buffer, from: number, end: number, type: number): number {
  for (let place = from; place + ATTRIBUTE_HEADER <= end; ) {
    const length = lengthAt(body, place)
    if (length < ATTRIBUTE_HEADER || place + length > end) return -1
    if ((body.readUInt16LE(place + 2) & TYPE_BITS) === type) return place
    place += (length + 3) & ~3
  }
  return -1
}

/** The same among those within another one, which may be absent itself. */
function placeWithin(body: Buffer, place: number, type: number): number {
  return place < 0 ? -1 : placeIn(body, place + ATTRIBUTE_HEADER, place + lengthAt(body, place), type)
}

function lengthAt(body: Buffer, place: number): number {
  return body.readUInt16LE(place)
}

function byteAt(body: Buffer, place: number): number {
  return place < 0 ? -1 : body[place + ATTRIBUTE_HEADER]!
}

function portAt(body: Buffer, place: number): number {
  return place < 0 ? -1 : body.readUInt16BE(place + ATTRIBUTE_HEADER)
}

/** The attribute as it stands there, up to the next. */
function wholeAt(body: Buffer, place: number): readonly Buffer[] {
  return place < 0 ? [] : [body.subarray(place, place + ((lengthAt(body, place) + 3) & ~3))]
}

function headerOf(family: number): Buffer {
  return Buffer.from([family, 0, 0, 0])
}

function bigEndian(value: number, length: 2 | 4): Buffer {
  const bytes = Buffer.alloc(length)
  bytes.writeUIntBE(value, 0, length)
  return bytes
}
