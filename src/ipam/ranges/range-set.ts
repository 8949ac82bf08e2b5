import type { Address } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'

// Where addresses come from, as in host-local's `ranges`: each set gives one address, from any of its ranges.

export interface AddressRange {
  readonly subnet: Cidr
  /** First and last address that may be given. */
  readonly start: Address
  readonly end: Address
  /** Never given, whether or not a gateway is wanted. */
  readonly gateway: Address
}

/** Ranges of one family that do not overlap. */
export type RangeSet = readonly [AddressRange, ...AddressRange[]]
