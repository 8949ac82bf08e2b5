import { addressBytes, addressOf } from '#system/netlink/address-bytes.ts'
import { attribute, attributesIn, nest, numberAttribute } from '#system/netlink/message.ts'
import { type Family, familyOf } from '#values/address.ts'
import { baseAddress, type Cidr, cidrFamily, parseCidr, prefixLength, prefixOf } from '#values/cidr.ts'
import type { RouteRequest } from '../conversation.ts'
import type { NetworkRoute } from '../network.ts'

// Routes → messages, and back. Numbers are those of linux/rtnetlink.h.

const NEWROUTE = 24
const DELROUTE = 25
const GETROUTE = 26
/** Behind those that are there. */
const MAKE_APPEND = 0x400 | 0x800
const HEADER = 12
const DESTINATION = 1
const LINK = 4
const GATEWAY = 5
const PRIORITY = 6
const SOURCE = 7
const METRICS = 8
const NEXT_HOPS = 9
const TABLE = 15
const METRIC_MTU = 2
const METRIC_ADVMSS = 8

const MAIN_TABLE = 254
const LOCAL_TABLE = 255
const BY_BOOT = 3
const UNICAST = 1
const SCOPE_LINK = 253
const ANY_SCOPE = 255
const CLONED = 0x200
/** On a next hop. */
const ON_LINK = 4
const FAMILY_NUMBERS = { ipv4: 2, ipv6: 10 } as const
const EVERYWHERE: Readonly<Record<Family, Cidr>> = { ipv4: parseCidr('0.0.0.0/0')!, ipv6: parseCidr('::/0')! }
const NEXT_HOP_HEADER = 8

export function newRoute(route: NetworkRoute, link: number | undefined): RouteRequest {
  const header = routeHeader(route, route.scope ?? defaultScope(route))
  header[5] = route.protocol ?? BY_BOOT
  header[7] = UNICAST
  if (route.isOnLink) header.writeUInt32LE(ON_LINK, 8)
  return {
    type: NEWROUTE,
    flags: MAKE_APPEND,
    header,
    attributes: [...routeAttributes(route, link), ...metrics(route)],
  }
}

/** What is not named may be anything; metrics are not compared. */
export function deletedRoute(route: NetworkRoute, link: number | undefined): RouteRequest {
  const header = routeHeader(route, route.scope ?? ANY_SCOPE)
  header[5] = route.protocol ?? 0
  return { type: DELROUTE, header, attributes: routeAttributes(route, link) }
}

export function listRoutes(family: Family): RouteRequest {
  const header = Buffer.alloc(HEADER)
  header[0] = FAMILY_NUMBERS[family]
  return { type: GETROUTE, header }
}

/** One for each next hop; none for what is not unicast, or local, or only remembered, or mapped from IPv4. */
export function routesOf(
  body: Buffer,
  family: Family,
  linkName: (index: number) => string | undefined,
): readonly NetworkRoute[] {
  // Where the kernel has no IPv6, it answers for every family it has.
  if (body[0] !== FAMILY_NUMBERS[family] || body[7] !== UNICAST) return []
  if ((body.readUInt32LE(8) & CLONED) !== 0) return []
  const found = new Map(attributesIn(body, HEADER))
  const table = found.get(TABLE)?.readUInt32LE() ?? body[4]!
  if (table === LOCAL_TABLE) return []
  const destination = destinationOf(found.get(DESTINATION), { family, bits: body[1]! })
  if (destination === undefined) return []
  const [priority, source] = [found.get(PRIORITY), found.get(SOURCE)]
  const shared = {
    destination,
    table,
    scope: body[6]!,
    protocol: body[5]!,
    priority: priority?.readUInt32LE() ?? 0,
    ...(source !== undefined && { source: addressOf(source) }),
    ...metricsOf(found.get(METRICS)),
  }
  return hopsOf(found, body.readUInt32LE(8)).map(hop => ({ ...shared, ...hopFields(hop, linkName) }))
}

function destinationOf(bytes: Buffer | undefined, of: { readonly family: Family; readonly bits: number }) {
  if (bytes === undefined) return EVERYWHERE[of.family]
  const address = addressOf(bytes)
  return familyOf(address) === of.family ? prefixOf(address, of.bits) : undefined
}

interface Hop {
  readonly index: number | undefined
  readonly gateway: Buffer | undefined
  readonly flags: number
}

function hopsOf(found: ReadonlyMap<number, Buffer>, flags: number): readonly Hop[] {
  const several = found.get(NEXT_HOPS)
  if (several === undefined) return [{ index: found.get(LINK)?.readUInt32LE(), gateway: found.get(GATEWAY), flags }]
  const hops: Hop[] = []
  for (let at = 0; at + NEXT_HOP_HEADER <= several.length; ) {
    const length = several.readUInt16LE(at)
    if (length < NEXT_HOP_HEADER) break
    const own = new Map(attributesIn(several.subarray(at, at + length), NEXT_HOP_HEADER))
    hops.push({ index: several.readInt32LE(at + 4), gateway: own.get(GATEWAY), flags: several[at + 2]! })
    at += (length + 3) & ~3
  }
  return hops
}

function hopFields(
  { index, gateway, flags }: Hop,
  linkName: (index: number) => string | undefined,
): Partial<NetworkRoute> {
  const link = index === undefined ? undefined : linkName(index)
  return {
    ...(gateway !== undefined && { gateway: addressOf(gateway) }),
    ...(link !== undefined && { link }),
    ...((flags & ON_LINK) !== 0 && { isOnLink: true }),
  }
}

function metricsOf(bytes: Buffer | undefined): Partial<NetworkRoute> {
  const found = new Map(attributesIn(bytes ?? Buffer.of(), 0))
  const [mtu, advmss] = [found.get(METRIC_MTU), found.get(METRIC_ADVMSS)]
  return {
    ...(mtu !== undefined && { mtu: mtu.readUInt32LE() }),
    ...(advmss !== undefined && { advmss: advmss.readUInt32LE() }),
  }
}

function routeHeader({ destination }: NetworkRoute, scope: number): Buffer {
  const header = Buffer.alloc(HEADER)
  header[0] = FAMILY_NUMBERS[cidrFamily(destination)]
  header[1] = prefixLength(destination)
  header[6] = scope
  return header
}

/** A gateway is looked for among routes of a narrower scope, so one that leads straight to its link says so. */
export function defaultScope({ destination, gateway }: NetworkRoute): number {
  return cidrFamily(destination) === 'ipv4' && gateway === undefined ? SCOPE_LINK : 0
}

function routeAttributes(route: NetworkRoute, link: number | undefined): readonly Buffer[] {
  const { destination, gateway, priority, source, table = MAIN_TABLE } = route
  return [
    numberAttribute(TABLE, table),
    ...(prefixLength(destination) === 0 ? [] : [attribute(DESTINATION, addressBytes(baseAddress(destination)))]),
    ...(gateway === undefined ? [] : [attribute(GATEWAY, addressBytes(gateway))]),
    ...(link === undefined ? [] : [numberAttribute(LINK, link)]),
    ...(priority === undefined ? [] : [numberAttribute(PRIORITY, priority)]),
    ...(source === undefined ? [] : [attribute(SOURCE, addressBytes(source))]),
  ]
}

function metrics({ mtu, advmss }: NetworkRoute): readonly Buffer[] {
  const found = [
    ...(mtu === undefined ? [] : [numberAttribute(METRIC_MTU, mtu)]),
    ...(advmss === undefined ? [] : [numberAttribute(METRIC_ADVMSS, advmss)]),
  ]
  return found.length === 0 ? [] : [nest(METRICS, found)]
}
