import type { NetworkRoute } from '#system/network/network.ts'
import { type Address, type Family, familyOf } from '#values/address.ts'
import { contains, prefixLength } from '#values/cidr.ts'

// Routes of a namespace, and an address → the route that a packet to it takes: the longest prefix, then the lowest priority.

const MAIN_TABLE = 254

export function routeFor(
  routes: Readonly<Record<Family, readonly NetworkRoute[]>>,
  to: Address,
): NetworkRoute | undefined {
  return routes[familyOf(to)]
    .filter(({ table = MAIN_TABLE, destination }) => table === MAIN_TABLE && contains(destination, to))
    .toSorted(
      (a, b) => prefixLength(b.destination) - prefixLength(a.destination) || (a.priority ?? 0) - (b.priority ?? 0),
    )[0]
}

export function routeText({ destination, gateway, link }: NetworkRoute): string {
  const shown = prefixLength(destination) === 0 ? 'default' : destination
  return `route ${shown}${gateway === undefined ? '' : ` via ${gateway}`}${link === undefined ? '' : ` dev ${link}`}`
}
