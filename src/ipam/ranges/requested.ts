import { type Address, addressNumber } from '#values/address.ts'
import { holds, rangeOf, usableBounds } from './range-bounds.ts'
import type { RangeSet } from './range-set.ts'

// Addresses that were asked for → the set that gives each, or why it cannot be given.

export interface MatchedAddresses {
  /** In the order of the sets, at most one of each. */
  readonly chosen: readonly { readonly set: number; readonly address: Address }[]
  /** Of no set, or of one that gives another of those asked for already. */
  readonly left: readonly Address[]
  readonly refused: readonly { readonly set: number; readonly address: Address; readonly why: NeverGiven }[]
}

export type NeverGiven = 'gateway' | 'network' | 'broadcast'

export function matchedAddresses(sets: readonly RangeSet[], requested: readonly Address[]): MatchedAddresses {
  const left = new Set(requested)
  const chosen: MatchedAddresses['chosen'][number][] = []
  const refused: MatchedAddresses['refused'][number][] = []
  for (const [index, set] of sets.entries()) {
    const address = [...left].find(address => rangeOf(set, address) !== undefined)
    if (address === undefined) continue
    left.delete(address)
    const why = neverGiven(sets, address)
    if (why === undefined) chosen.push({ set: index, address })
    else refused.push({ set: index, address, why })
  }
  return { chosen, left: [...left], refused }
}

/** The gateways of all sets count, for whichever set the address would be of. */
export function neverGiven(sets: readonly RangeSet[], address: Address): NeverGiven | undefined {
  const ranges = sets.flat()
  if (ranges.some(({ gateway }) => gateway === address)) return 'gateway'
  const number = addressNumber(address)
  const bounds = ranges.filter(range => holds(range, address)).map(({ subnet }) => usableBounds(subnet))
  if (bounds.some(({ first }) => number < first)) return 'network'
  return bounds.some(({ last }) => number > last) ? 'broadcast' : undefined
}
