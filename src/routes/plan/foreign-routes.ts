import type { NetworkRoute } from '#system/network/network.ts'
import { FAMILIES } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'
import { type KernelState, MAIN_TABLE, ROUTE_PROTOCOL } from './route-plan.ts'

// Routes of the main table that are not ours → each in a few words, by its range: where there is one, we lay none.

export function foreignRoutes({ routes }: Pick<KernelState, 'routes'>): ReadonlyMap<Cidr, string> {
  const all = FAMILIES.flatMap(family => routes[family])
  const foreign = all.filter(({ table, protocol }) => table === MAIN_TABLE && protocol !== ROUTE_PROTOCOL)
  return new Map(foreign.map(route => [route.destination, inWords(route)]))
}

function inWords({ destination, gateway, link, protocol }: NetworkRoute): string {
  const via = gateway === undefined ? '' : ` via ${gateway}`
  const dev = link === undefined ? '' : ` dev ${link}`
  return `${destination}${via}${dev} proto ${PROTOCOLS[protocol ?? 0] ?? protocol}`
}

/** As `ip` says them. */
const PROTOCOLS: Readonly<Record<number, string>> = {
  2: 'kernel',
  3: 'boot',
  4: 'static',
  9: 'ra',
  16: 'dhcp',
  186: 'bgp',
}
