import type { CniResult, CniRoute } from '#cni/protocol/result.ts'
import type { DhcpLease, DhcpRoute } from '#ipam/leases/dhcp/dhcp-book.ts'
import { type Address, addressFromNumber, addressNumber } from '#values/address.ts'
import { type Cidr, prefixOf } from '#values/cidr.ts'
import { addressAt, type DhcpMessage, type DhcpOptions, OPTION } from './message.ts'

// What a server granted → how long it holds, and what the container gets of it.

/** A server that names no time means a long one; the reference plugin takes an hour. */
const DEFAULT_SECONDS = 3600

export interface Granted {
  readonly answer: DhcpMessage
  readonly serverHardware: Buffer
  /** When the request was sent that this answers: time counts from there. */
  readonly askedAt: number
}

/** A text says why it cannot be used. */
export function leaseOf({ answer, serverHardware, askedAt }: Granted): DhcpLease | string {
  const { yourAddress: address, options } = answer
  const server = addressAt(options.get(OPTION.serverId) ?? Buffer.alloc(0), 0)
  const prefixLength = prefixLengthOf(options.get(OPTION.subnetMask))
  if (address === undefined) return 'the server gave no address'
  if (server === undefined) return 'the server did not say who it is (option 54)'
  if (prefixLength === undefined) return 'the server gave no subnet mask (option 1)'
  const seconds = secondsOf(options, OPTION.leaseSeconds) ?? DEFAULT_SECONDS
  const rebind = Math.min(secondsOf(options, OPTION.rebindSeconds) ?? seconds * 0.85, seconds)
  const renew = Math.min(secondsOf(options, OPTION.renewSeconds) ?? seconds / 2, rebind)
  const gateway = addressAt(options.get(OPTION.routers) ?? Buffer.alloc(0), 0)
  return {
    address,
    prefixLength,
    server,
    serverHardware: serverHardware.toString('hex'),
    routes: routesOf(options, gateway),
    ...(gateway !== undefined && { gateway }),
    grantedAt: Math.floor(askedAt),
    renewAt: Math.floor(askedAt + renew * 1000),
    rebindAt: Math.floor(askedAt + rebind * 1000),
    expiresAt: Math.floor(askedAt + seconds * 1000),
  }
}

function secondsOf(options: DhcpOptions, code: number): number | undefined {
  const value = options.get(code)
  return value?.length === 4 ? value.readUInt32BE() : undefined
}

function prefixLengthOf(mask: Buffer | undefined): number | undefined {
  if (mask?.length !== 4) return undefined
  const bits = mask.readUInt32BE().toString(2).padStart(32, '0')
  return /^1*0*$/.test(bits) ? bits.lastIndexOf('1') + 1 : undefined
}

/** Classless routes stand in place of all others (RFC 3442). */
function routesOf(options: DhcpOptions, gateway: Address | undefined): readonly DhcpRoute[] {
  const classless = options.get(OPTION.classlessRoutes)
  if (classless !== undefined) return classlessRoutes(classless)
  const classful = classfulRoutes(options.get(OPTION.staticRoutes) ?? Buffer.alloc(0))
  return gateway === undefined ? classful : [...classful, { destination: '0.0.0.0/0' as Cidr, gateway }]
}

/** A length, as many bytes of the destination as it needs, and a router. What is cut short ends the list. */
function classlessRoutes(bytes: Buffer): readonly DhcpRoute[] {
  const routes: DhcpRoute[] = []
  for (let at = 0; at < bytes.length; ) {
    const bits = bytes[at]!
    const width = Math.ceil(bits / 8)
    if (bits > 32 || at + 1 + width + 4 > bytes.length) break
    const destination = Buffer.alloc(4)
    bytes.copy(destination, 0, at + 1, at + 1 + width)
    const gateway = addressAt(bytes, at + 1 + width)
    const base = addressFromNumber('ipv4', BigInt(destination.readUInt32BE()))
    routes.push({ destination: prefixOf(base, bits), ...(gateway !== undefined && { gateway }) })
    at += 1 + width + 4
  }
  return routes
}

/** Pairs of a destination, as long as its class says, and a router. */
function classfulRoutes(bytes: Buffer): readonly DhcpRoute[] {
  const routes: DhcpRoute[] = []
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    const [destination, gateway] = [addressAt(bytes, at), addressAt(bytes, at + 4)]
    if (destination !== undefined && gateway !== undefined) {
      routes.push({ destination: prefixOf(destination, classLength(destination)), gateway })
    }
  }
  return routes
}

function classLength(address: Address): number {
  const first = Number(addressNumber(address) >> 24n)
  return first < 128 ? 8 : first < 192 ? 16 : 24
}

/** The kernel's scope of a route whose destination is on the link. */
const SCOPE_LINK = 253

export function resultOf(lease: DhcpLease, priority: number | undefined): CniResult {
  const { address, prefixLength, gateway } = lease
  const routes = lease.routes.map(
    ({ destination, gateway: gw }): CniRoute => ({
      dst: destination,
      ...(gw === undefined ? { scope: SCOPE_LINK } : { gw }),
      ...(priority !== undefined && { priority }),
    }),
  )
  return {
    interfaces: [],
    ips: [{ address, prefixLength, ...(gateway !== undefined && { gateway }) }],
    routes,
    dns: {},
  }
}
