import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Address, Family } from '#values/address.ts'
import { baseAddress, type Cidr, cidrFamily, contains, hostCidr, prefixLength } from '#values/cidr.ts'

// The ranges of Services, and the node's addresses and routes → the ranges in which addresses without a Service are
// rejected, and the parts of them that must be left alone.

export interface ServiceRangesOptions {
  readonly family: Family
  readonly ranges: readonly Cidr[]
  readonly addresses: readonly Address[]
  readonly routes: readonly Cidr[]
}

/**
 * A route to a part of a range shows a real network there, whatever the ranges were planned for; a route to the whole
 * of it does not. kube-proxy reads no routes, and cuts off hosts that have an address in a range.
 */
export function serviceRanges({ family, ranges, addresses, routes }: ServiceRangesOptions): Partial<NodeView> {
  const own = ranges.filter(range => cidrFamily(range) === family)
  if (own.length === 0) return {}
  const real = [...routes, ...addresses.map(hostCidr)].filter(part => own.some(range => isInside(part, range)))
  const widest = [...new Set(real)].filter(part => !real.some(other => isInside(part, other)))
  return { serviceRanges: own, reachable: widest.sort() }
}

function isInside(part: Cidr, range: Cidr): boolean {
  return prefixLength(part) > prefixLength(range) && contains(range, baseAddress(part))
}
