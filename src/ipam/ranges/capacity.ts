import { type Address, addressNumber } from '#values/address.ts'
import { allocatable, spanSize } from './allocatable.ts'
import { rangeOf } from './range-bounds.ts'
import type { RangeSet } from './range-set.ts'
import { type NeverGiven, neverGiven } from './requested.ts'

// Range sets → how many addresses each has, and which of them are never given.

export interface SetCapacity {
  /** From the start of each range to its end. */
  readonly total: bigint
  /** Of these, what a pod may get. */
  readonly size: bigint
  /** Of these, what no pod gets, in order. */
  readonly reserved: readonly { readonly address: Address; readonly why: NeverGiven }[]
}

export function capacity(sets: readonly RangeSet[]): readonly SetCapacity[] {
  const spans = allocatable(sets)
  return sets.map((set, i) => ({
    total: set.reduce((sum, { start, end }) => sum + addressNumber(end) - addressNumber(start) + 1n, 0n),
    size: spanSize(spans[i]!),
    reserved: reservedOf(sets, set),
  }))
}

function reservedOf(sets: readonly RangeSet[], set: RangeSet): SetCapacity['reserved'] {
  const candidates = [...sets.flat().map(range => range.gateway), ...set.flatMap(({ start, end }) => [start, end])]
  return [...new Set(candidates)]
    .filter(address => rangeOf(set, address) !== undefined)
    .flatMap(address => {
      const why = neverGiven(sets, address)
      return why === undefined ? [] : [{ address, why }]
    })
    .sort((a, b) => (addressNumber(a.address) < addressNumber(b.address) ? -1 : 1))
}
