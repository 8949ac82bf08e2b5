import type { AddressRange, RangeSet } from '#ipam/ranges/range-set.ts'
import { addressAt, boundsOf, type RingRange } from '#ipam/ring/ring.ts'
import type { Address } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'

// What a node owns of the ring → its range set. All of it is of one subnet with one gateway, however many stretches there are:
// what a pod has for its network does not change when addresses are given away, and a bridge has one IPv4 address.

export interface RingSubnet {
  readonly subnet: Cidr
  /** An address of this node that is no pod's. */
  readonly gateway: Address
}

/** Stretches that touch are one, whatever their epochs. */
export function setsOfStretches(stretches: readonly RingRange[], { subnet, gateway }: RingSubnet): readonly RangeSet[] {
  const joined: RingRange[] = []
  for (const part of within(stretches, subnet)) {
    const last = joined.at(-1)
    if (last?.end === part.start) joined[joined.length - 1] = { start: last.start, end: part.end }
    else joined.push(part)
  }
  const [first, ...others] = joined.map(
    ({ start, end }): AddressRange => ({ subnet, start: addressAt(start), end: addressAt(end - 1), gateway }),
  )
  return first === undefined ? [] : [[first, ...others]]
}

/** The part of each that lies in the subnet, in the order of addresses; the subnet's first and last address are no host's. */
export function within(stretches: readonly RingRange[], subnet: Cidr): readonly RingRange[] {
  const { start, end } = boundsOf(subnet)
  return stretches
    .map(part => ({ start: Math.max(part.start, start + 1), end: Math.min(part.end, end - 1) }))
    .filter(part => part.start < part.end)
    .sort((a, b) => a.start - b.start)
}

/** What is left of ranges without the addresses that are taken, which are in order. */
export function freeStretches(ranges: readonly RingRange[], taken: (range: RingRange) => readonly RingRange[]) {
  return ranges.flatMap(range => {
    const free: RingRange[] = []
    let from = range.start
    for (const { start, end } of taken(range)) {
      if (start > from) free.push({ start: from, end: Math.min(start, range.end) })
      from = Math.max(from, end)
    }
    return from < range.end ? [...free, { start: from, end: range.end }] : free
  })
}
