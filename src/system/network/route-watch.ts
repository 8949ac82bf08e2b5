import { attributesIn, linkNameOf, type Message, messagesIn } from '#system/netlink/message.ts'
import { type NetlinkSocket, openNetlink } from '#system/netlink/socket.ts'

// The kernel's notices of links, addresses and routes → whether anything has happened that may concern the routes of one program.

export interface RouteWatch {
  /** Whether something has, since it was asked last; also where notices were lost. Costs microseconds. */
  heard(): boolean
  close(): void
}

export interface RouteWatchOptions {
  /** The number on the routes of the program. */
  readonly protocol: number
  /** Names of the links that are of interest; those of pods come and go all the time. */
  readonly links: () => ReadonlySet<string>
  /** By path, e.g. `/run/netns/blue`; this process's own where absent. */
  readonly namespace?: string
}

const NETLINK_ROUTE = 0
/** Bits of links, addresses and routes, of both families: linux/rtnetlink.h. */
const GROUPS = 0x1 | 0x10 | 0x40 | 0x100 | 0x400
const RECEIVE_BYTES = 1024 * 1024
const [NEWLINK, DELLINK, NEWADDR, DELADDR, NEWROUTE, DELROUTE] = [16, 17, 20, 21, 24, 25]
const LINK_HEADER = 16
const IFNAME = 3
const BY_KERNEL = 2
const SCOPE_LINK = 253
const MAIN_TABLE = 254

/** Undefined where this process has no FFI: then the routes are looked at now and then. */
export function openRouteWatch(options: RouteWatchOptions): RouteWatch | undefined {
  const { namespace } = options
  const socket = openNetlink({
    protocol: NETLINK_ROUTE,
    groups: GROUPS,
    receiveBytes: RECEIVE_BYTES,
    ...(namespace !== undefined && { namespace }),
  })
  return socket && routeWatchOn(socket, options)
}

/** Of a socket that hears of links, addresses and routes. */
export function routeWatchOn(socket: NetlinkSocket, options: RouteWatchOptions): RouteWatch {
  return { heard: () => heard(socket, options), close: () => socket.close() }
}

/** All that has come is read, whatever is found in it. */
function heard(socket: NetlinkSocket, options: RouteWatchOptions): boolean {
  let isOfInterest = false
  for (;;) {
    const got = socket.receive()
    if (got === 'nothing') return isOfInterest
    if (got === 'overflow') {
      isOfInterest = true
      continue
    }
    for (const one of messagesIn(got.bytes)) isOfInterest ||= concerns(one, options)
  }
}

function concerns({ type, body }: Message, { protocol, links }: RouteWatchOptions): boolean {
  // Each port of a bridge gets an address that counts on its link alone.
  if (type === NEWADDR || type === DELADDR) return body[3] !== SCOPE_LINK
  if (type === NEWLINK || type === DELLINK) return body[0] === 0 && links().has(linkName(body))
  if (type !== NEWROUTE && type !== DELROUTE) return false
  const [table, by] = [body[4]!, body[5]!]
  if (table !== MAIN_TABLE || by === BY_KERNEL) return false
  // Those of the program itself are expected to come.
  return by !== protocol || type === DELROUTE
}

function linkName(body: Buffer): string {
  return linkNameOf(new Map(attributesIn(body, LINK_HEADER)).get(IFNAME))
}
