import {
  attributesIn,
  DONE,
  DUMP,
  DUMP_INTERRUPTED,
  ERROR,
  errnoIn,
  linkNameOf,
  type Message,
  message,
  messagesIn,
  REQUEST,
} from './message.ts'
import { type NetlinkSocket, openNetlink } from './socket.ts'

// The kernel's links, addresses and routes → what it says of each, without a process.

export interface Link {
  readonly index: number
  readonly name: string
}

export interface LinkAddress {
  /** The index of its link. */
  readonly link: number
  readonly prefixLength: number
  /** As `ip` says it; other scopes are numbers. */
  readonly scope: string
  /** 4 or 16 of them. */
  readonly bytes: Buffer
}

export interface TableRoute {
  readonly table: number
  /** `unicast`, `blackhole`, …: see RTN_ in linux/rtnetlink.h. */
  readonly type: number
  readonly prefixLength: number
  /** Absent for the default route. */
  readonly destination?: Buffer
  /** The index of the link; absent where there are several, or none. */
  readonly link?: number
}

const NETLINK_ROUTE = 0
const GETLINK = 18
const GETADDR = 22
const GETROUTE = 26
const FAMILY_NUMBERS = { any: 0, ipv4: 2, ipv6: 10 } as const
/** The family's own headers: ifinfomsg, ifaddrmsg, rtmsg. */
const LINK_HEADER = 16
const ADDRESS_HEADER = 8
const ROUTE_HEADER = 12
/** A route that the kernel has made for one destination, as a cache. */
const CLONED = 0x200
const SCOPES: Readonly<Record<number, string>> = { 0: 'global', 200: 'site', 253: 'link', 254: 'host', 255: 'nowhere' }

type AskedFamily = keyof typeof FAMILY_NUMBERS

/** What netlink could not answer; `ip` may. */
export class RouteNetlinkFailed extends Error {
  override readonly name = 'RouteNetlinkFailed'
}

export class NetworkReader {
  readonly #socket: NetlinkSocket
  #sequence = 0

  constructor(socket: NetlinkSocket) {
    this.#socket = socket
  }

  /** Undefined where netlink cannot be had. */
  static open(namespace?: string): NetworkReader | undefined {
    const where = namespace === undefined ? {} : { namespace }
    const socket = openNetlink({ protocol: NETLINK_ROUTE, ...where })
    return socket && new NetworkReader(socket)
  }

  links(): readonly Link[] {
    return this.#dump(GETLINK, 'any', LINK_HEADER, body => {
      let name = ''
      for (const [type, value] of attributesIn(body, LINK_HEADER)) if (type === 3) name = linkNameOf(value)
      return { index: body.readInt32LE(4), name }
    })
  }

  addresses(): readonly LinkAddress[] {
    return this.#dump(GETADDR, 'any', ADDRESS_HEADER, body => {
      const found = new Map(attributesIn(body, ADDRESS_HEADER))
      // Of a point-to-point link, the first is the peer's.
      const bytes = found.get(2) ?? found.get(1)
      if (bytes === undefined) return undefined
      const scope = SCOPES[body[3]!] ?? String(body[3])
      return { link: body.readUInt32LE(4), prefixLength: body[1]!, scope, bytes: Buffer.from(bytes) }
    })
  }

  /** Of all tables. */
  routes(family: 'ipv4' | 'ipv6'): readonly TableRoute[] {
    return this.#dump(GETROUTE, family, ROUTE_HEADER, body => {
      // Where the kernel has no IPv6, it answers for every family it has.
      if (body[0] !== FAMILY_NUMBERS[family] || (body.readUInt32LE(8) & CLONED) !== 0) return undefined
      const found = new Map(attributesIn(body, ROUTE_HEADER))
      const [destination, link, table] = [found.get(1), found.get(4), found.get(15)]
      return {
        table: table?.readUInt32LE() ?? body[4]!,
        type: body[7]!,
        prefixLength: body[1]!,
        ...(destination !== undefined && { destination: Buffer.from(destination) }),
        ...(link !== undefined && { link: link.readUInt32LE() }),
      }
    })
  }

  close(): void {
    this.#socket.close()
  }

  #dump<T>(
    type: number,
    family: AskedFamily,
    headerBytes: number,
    read: (body: Buffer) => T | undefined,
  ): readonly T[] {
    const header = Buffer.alloc(headerBytes)
    header[0] = FAMILY_NUMBERS[family]
    const found: T[] = []
    for (const { body } of this.#answers(type, header)) {
      const one = read(body)
      if (one !== undefined) found.push(one)
    }
    return found
  }

  *#answers(type: number, header: Buffer): Generator<Message> {
    const sequence = ++this.#sequence
    const errno = this.#socket.send(message({ type, flags: REQUEST | DUMP, sequence, header }))
    if (errno !== 0) throw new RouteNetlinkFailed(`netlink refused message ${type} with errno ${errno}`)
    for (;;) {
      const got = this.#socket.receive()
      // The kernel answers within send and recv: without an answer there is none to come.
      if (got === 'nothing' || got === 'overflow') throw new RouteNetlinkFailed(`netlink's answer to ${type}: ${got}`)
      for (const one of messagesIn(got.bytes)) {
        if (one.sequence !== sequence) continue
        if ((one.flags & DUMP_INTERRUPTED) !== 0) throw new RouteNetlinkFailed('what was listed changed meanwhile')
        const errno = one.type === DONE || one.type === ERROR ? errnoIn(one) : 0
        if (errno !== 0) throw new RouteNetlinkFailed(`errno ${errno} for message ${type}`)
        if (one.type === DONE) return
        yield one
      }
    }
  }
}
