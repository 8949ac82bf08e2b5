import { addressNumber, type Family } from '#values/address.ts'
import { cidrFamily } from '#values/cidr.ts'
import { usableBounds } from './range-bounds.ts'
import type { AddressRange, RangeSet } from './range-set.ts'

// Range sets → the addresses that may be given, as spans without gaps.

/** Addresses from first to last, both included. */
export interface AddressSpan {
  readonly family: Family
  readonly first: bigint
  readonly last: bigint
}

/**
 * The spans of each set, in the order of its ranges. Left out are the gateways of all sets, the network's own address and
 * the broadcast address: a pod with one of these would take the traffic of the whole subnet.
 */
export function allocatable(sets: readonly RangeSet[]): readonly (readonly AddressSpan[])[] {
  const gateways = sets
    .flat()
    .map(({ subnet, gateway }) => ({ family: cidrFamily(subnet), number: addressNumber(gateway) }))
  return sets.map(set =>
    set.flatMap(range => {
      const family = cidrFamily(range.subnet)
      const excluded = gateways.filter(gateway => gateway.family === family).map(({ number }) => number)
      return without(usable(range), excluded)
    }),
  )
}

/** How many addresses the spans hold. */
export function spanSize(spans: readonly AddressSpan[]): bigint {
  return spans.reduce((sum, { first, last }) => sum + last - first + 1n, 0n)
}

function usable({ subnet, start, end }: AddressRange): AddressSpan {
  const bounds = usableBounds(subnet)
  let first = addressNumber(start)
  let last = addressNumber(end)
  if (first < bounds.first) first = bounds.first
  if (last > bounds.last) last = bounds.last
  return { family: cidrFamily(subnet), first, last }
}

function without(span: AddressSpan, excluded: readonly bigint[]): readonly AddressSpan[] {
  const inside = [...new Set(excluded)].filter(n => n >= span.first && n <= span.last).sort((a, b) => (a < b ? -1 : 1))
  const starts = [span.first, ...inside.map(n => n + 1n)]
  const ends = [...inside.map(n => n - 1n), span.last]
  return starts
    .map((first, i) => ({ family: span.family, first, last: ends[i]! }))
    .filter(({ first, last }) => first <= last)
}
