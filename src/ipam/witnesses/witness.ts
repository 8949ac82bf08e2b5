import type { Lease } from '../leases/lease-book.ts'
import type { Testimony, WitnessName } from './verdict.ts'

// Who can say whether a lease is in use. One is made for each round, and asked a page of leases at a time: what it lists, it lists
// once. A lease that is given after that is too new to be judged by it.

export interface Witness {
  readonly name: WitnessName
  /** One testimony for each lease, in their order. It never fails: what cannot be looked at is `failed`. */
  testify(leases: readonly Lease[]): Promise<readonly Testimony[]>
}
