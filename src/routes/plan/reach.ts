import { ADDRESS_BITS, type Address, addressNumber, type Family, familyOf } from '#values/address.ts'
import { baseAddress, prefixLength } from '#values/cidr.ts'
import { OVERLAY_LINK } from '#values/overlay-link.ts'
import { type KernelState, MAIN_TABLE, ROUTE_PROTOCOL } from './route-plan.ts'

// The address of another node → how packets to it leave this one, by the routes that others have made: straight onto a link,
// or to a router.

export interface Reach {
  readonly link: string
  readonly by: 'link' | 'router'
}

interface ComparedRoute extends Reach {
  readonly base: bigint
  /** How many bits of an address are not compared. */
  readonly free: bigint
}

/** Undefined where no route leads there. */
export type Reaching = (address: Address) => Reach | undefined

export function reaching(state: Pick<KernelState, 'links' | 'routes'>): Reaching {
  const up = new Set(state.links.filter(({ isUp }) => isUp).map(({ name }) => name))
  const of = (family: Family) => comparedRoutes(state, family, up)
  const routes = { ipv4: of('ipv4'), ipv6: of('ipv6') }
  return address => {
    const number = addressNumber(address)
    return routes[familyOf(address)].find(({ base, free }) => number >> free === base)
  }
}

/** In the order the kernel would choose them: the longest prefix first, then the lowest priority. */
function comparedRoutes(
  { routes }: Pick<KernelState, 'routes'>,
  family: Family,
  up: ReadonlySet<string>,
): readonly ComparedRoute[] {
  return routes[family]
    .filter(({ table, protocol, link }) => table === MAIN_TABLE && protocol !== ROUTE_PROTOCOL && link !== OVERLAY_LINK)
    .filter(({ link }) => link !== undefined && up.has(link))
    .toSorted(
      (a, b) => prefixLength(b.destination) - prefixLength(a.destination) || (a.priority ?? 0) - (b.priority ?? 0),
    )
    .map(({ destination, gateway, link }) => {
      const free = BigInt(ADDRESS_BITS[family] - prefixLength(destination))
      const base = addressNumber(baseAddress(destination)) >> free
      return { base, free, link: link!, by: gateway === undefined ? 'link' : 'router' }
    })
}
