import type { GrantBook } from '#ipam/leases/grants/grant-book.ts'
import type { RangeSet } from '#ipam/ranges/range-set.ts'
import type { Address } from '#values/address.ts'

// Where this node's ranges come from, behind one contract: these are mine, give me more, take back. What a source says, it
// remembers; so a node goes on giving addresses while the API server is away, also after a restart.

export interface RangeSource {
  readonly name: 'config' | 'node' | 'ring'
  /** What addresses may be given from now. */
  mine(): MyRanges
  /** Asks the API server. Where that fails, what is mine stays mine. */
  refresh(): Promise<RangesChange>
  /** `never`: this source gives each node what it has, once. */
  more(addresses: number): Promise<'asked' | 'never'>
  /** Ranges of which nothing is used go back; those that did. */
  takeBack(): Promise<readonly AddressStretch[]>
}

export interface MyRanges {
  /** One address from each; empty where there is no range. */
  readonly sets: readonly RangeSet[]
  /** Why there is none. */
  readonly why: string
}

/** Both ends included. */
export interface AddressStretch {
  readonly first: Address
  readonly last: Address
}

export interface RangesChange {
  readonly gained: readonly AddressStretch[]
  /** What was taken from this node: its pods that have addresses there may meet others with the same. */
  readonly lost: readonly AddressStretch[]
}

export const NO_CHANGE: RangesChange = { gained: [], lost: [] }

/** Kept beside the leases: see GrantBook. */
export type RangesMemory = Pick<GrantBook, 'load' | 'save' | 'drop' | 'takenIn' | 'endCooldowns' | 'saveSeen'>
