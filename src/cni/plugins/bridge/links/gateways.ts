import { CniError, CODE } from '#cni/protocol/error.ts'
import type { CniAddress, CniResult, CniRoute } from '#cni/protocol/result.ts'
import type { AddressWithPrefix } from '#system/network/network.ts'
import { type Address, addressFromNumber, addressNumber, type Family, familyOf } from '#values/address.ts'
import { baseAddress, cidrFamily, parseCidr, prefixOf } from '#values/cidr.ts'
import type { BridgeConfiguration } from '../configuration.ts'

// What IPAM gave → addresses of the container's interface with their gateways, routes with the default ones, and the addresses
// that the bridge needs to be a gateway.

export interface AddressPlan {
  readonly ips: readonly CniAddress[]
  readonly routes: readonly CniRoute[]
  /** What the bridge is to have; none where it is no gateway. */
  readonly gateways: readonly AddressWithPrefix[]
}

/** Of a result's interfaces: the bridge, its port, the container's. */
export const CONTAINER_INTERFACE = 2

const EVERYWHERE: Readonly<Record<Family, CniRoute['dst']>> = {
  ipv4: parseCidr('0.0.0.0/0')!,
  ipv6: parseCidr('::/0')!,
}
/** Of the kernel: what needs no gateway. */
const SCOPE_LINK = 253

type Choice = Pick<BridgeConfiguration, 'isGateway' | 'isDefaultGateway'>

export function addressPlan(given: CniResult, { isGateway, isDefaultGateway }: Choice): AddressPlan {
  if (given.ips.length === 0) throw new CniError(CODE.internal, 'IPAM plugin returned missing IP config')
  const ips = given.ips.map(ip => {
    const gateway = ip.gateway ?? (isGateway ? firstAddress(ip) : undefined)
    return { ...ip, interface: CONTAINER_INTERFACE, ...(gateway !== undefined && { gateway }) }
  })
  return {
    ips,
    routes: isDefaultGateway ? [...given.routes, ...defaultRoutes(ips, given.routes)] : given.routes,
    gateways: isGateway
      ? ips.flatMap(({ gateway, prefixLength }) => (gateway ? [{ address: gateway, prefixLength }] : []))
      : [],
  }
}

/** The gateway where none is named, as for the reference. */
function firstAddress({ address, prefixLength }: CniAddress): Address {
  const base = baseAddress(prefixOf(address, prefixLength))
  return addressFromNumber(familyOf(address), addressNumber(base) + 1n)
}

/** One a family that has none: a default route without a gateway gets the same one when it is laid. */
function defaultRoutes(ips: readonly CniAddress[], routes: readonly CniRoute[]): readonly CniRoute[] {
  const firsts = new Map(ips.toReversed().map(ip => [familyOf(ip.address), ip]))
  return [...new Set(ips.map(({ address }) => familyOf(address)))].flatMap(family => {
    const { gateway } = firsts.get(family)!
    const isThere = routes.some(({ dst }) => dst === EVERYWHERE[family])
    return isThere || gateway === undefined ? [] : [{ dst: EVERYWHERE[family], gw: gateway }]
  })
}

/** A route's own gateway, or the first one of its family; none where the route says that all of it is on the link. */
export function gatewayOf(route: CniRoute, ips: readonly CniAddress[]): Address | undefined {
  if (route.gw !== undefined) return route.gw
  if (route.scope !== undefined && route.scope >= SCOPE_LINK) return undefined
  const family = cidrFamily(route.dst)
  return ips.find(({ address, gateway }) => gateway !== undefined && familyOf(address) === family)?.gateway
}
