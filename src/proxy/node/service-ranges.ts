import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Address, Family } from '#values/address.ts'
import { baseAddress, type Cidr, cidrFamily, contains, hostCidr, prefixLength } from '#values/cidr.ts'

// The ranges of Services and what the machine's routes say → which addresses are nobody's, and which must be left alone.

export interface Ground {
  readonly family: Family
  readonly ranges: readonly Cidr[]
  readonly addresses: readonly Address[]
  readonly routes: readonly Cidr[]
}

/**
 * A route into a part of a range says that there really is something, whoever planned the ranges; one to the whole of it
 * does not. kube-proxy asks no routes, and cuts off hosts that happen to live there.
 */
export function serviceRanges({ family, ranges, addresses, routes }: Ground): Partial<NodeView> {
  const own = ranges.filter(range => cidrFamily(range) === family)
  if (own.length === 0) return {}
  const real = [...routes, ...addresses.map(hostCidr)].filter(part => own.some(range => isInside(part, range)))
  const widest = [...new Set(real)].filter(part => !real.some(other => isInside(part, other)))
  return { serviceRanges: own, reachable: widest.sort() }
}

function isInside(part: Cidr, range: Cidr): boolean {
  return prefixLength(part) > prefixLength(range) && contains(range, baseAddress(part))
}
