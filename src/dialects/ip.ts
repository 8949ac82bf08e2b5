import type { Command } from '#system/ports.ts'
import { type Address, type Family, familyOf, parseAddress } from '#values/address.ts'
import { type Cidr, cidrFamily, hostCidr, parseCidr } from '#values/cidr.ts'
import { jsonOf } from './iproute/words.ts'
import { inputOf, PATIENCE_MS } from './lines.ts'

// What `ip -json address` prints → the node's own addresses, and those that ipvs mode keeps apart on a device of their own;
// and the commands that ask for addresses and routes and change them.

export const LIST_ADDRESSES: Command = { does: 'other', argv: ['ip', '-json', 'address', 'show'] }

/** Prints a line whenever an address comes or goes. */
export const MONITOR_ADDRESSES = ['ip', '-oneline', 'monitor', 'address'] as const

/** The main table, by family. */
export const LIST_ROUTES: Readonly<Record<Family, Command>> = {
  ipv4: { does: 'other', family: 'ipv4', argv: ['ip', '-json', '-4', 'route', 'show'] },
  ipv6: { does: 'other', family: 'ipv6', argv: ['ip', '-json', '-6', 'route', 'show'] },
}

/** Prints a line whenever an address or a route comes or goes. */
export const MONITOR_ADDRESSES_AND_ROUTES = ['ip', '-oneline', 'monitor', 'address', 'route'] as const

/** How a packet to this address would leave the host. */
export function routeTo(address: Address): Command {
  return { does: 'other', argv: ['ip', '-oneline', 'route', 'get', address] }
}

/** Holds the addresses of Services, so that their packets end at this node. They are not the node's own. */
export const IPVS_DEVICE = 'kube-ipvs0'

/** Ends with 0 where the device is there. */
export const FIND_IPVS_DEVICE: Command = {
  does: 'other',
  argv: ['ip', '-oneline', 'link', 'show', 'dev', IPVS_DEVICE],
}

/** Sorted, without link-local IPv6: no client connects to a node port through one. */
export function addressesOf(json: string, family: Family): readonly Address[] {
  return addressesOn(
    linksOf(json).filter(({ ifname }) => ifname !== IPVS_DEVICE),
    family,
  )
}

/** The destinations of all routes but the default one, without those that discard their packets. */
export function routesOf(json: string): readonly Cidr[] {
  const routes = jsonOf(json) as readonly Route[]
  const led = routes.filter(({ type = 'unicast', dev }) => type === 'unicast' && dev !== IPVS_DEVICE)
  return [...new Set(led.flatMap(({ dst = '' }) => destinationsOf(dst)))].sort()
}

/** None of a name such as `default`. */
function destinationsOf(text: string): readonly Cidr[] {
  const host = parseAddress(text)
  const cidr = host === undefined ? parseCidr(text) : hostCidr(host)
  return cidr === undefined || isMapped(text, cidrFamily(cidr)) ? [] : [cidr]
}

interface Route {
  readonly dst?: string
  readonly type?: string
  readonly dev?: string
}

/** Undefined where the device is not there. */
export function serviceAddressesOf(json: string, family: Family): readonly Address[] | undefined {
  const devices = linksOf(json).filter(({ ifname }) => ifname === IPVS_DEVICE)
  return devices.length === 0 ? undefined : addressesOn(devices, family)
}

/** Stops at the first line that fails. */
export function ipBatch(lines: readonly string[]): Command {
  return { does: 'write', argv: ['ip', '-batch', '-'], input: inputOf(lines), timeoutMs: PATIENCE_MS }
}

/** The device is never brought up, so that its addresses are announced to no neighbour. */
export const ADD_IPVS_DEVICE = `link add ${IPVS_DEVICE} type dummy`
export const DELETE_IPVS_DEVICE = `link delete ${IPVS_DEVICE}`

export function serviceAddressLine(verb: 'add' | 'delete', ip: Address): string {
  return `address ${verb} ${hostCidr(ip)} dev ${IPVS_DEVICE}`
}

function linksOf(json: string): readonly Link[] {
  return jsonOf(json) as readonly Link[]
}

function addressesOn(links: readonly Link[], family: Family): readonly Address[] {
  const found = links.flatMap(link => link.addr_info ?? []).filter(({ scope }) => scope !== 'link')
  const addresses = found.flatMap(({ local = '' }) => {
    const address = parseAddress(local)
    return address === undefined || isMapped(local, familyOf(address)) ? [] : [address]
  })
  return [...new Set(addresses)].filter(address => familyOf(address) === family).sort()
}

/** An address or range of IPv6 that is mapped from IPv4 is none of IPv4: no packet to that comes or goes by it. */
function isMapped(text: string, family: Family): boolean {
  return family === 'ipv4' && text.includes(':')
}

/** The fields of interest; older versions print an empty object for an interface that has no address. */
interface Link {
  readonly ifname?: string
  readonly addr_info?: readonly { readonly local?: string; readonly scope?: string }[]
}
