import type { Address } from '#values/address.ts'
import type { Holder, Lease } from '../lease-book.ts'
import type { PastLease } from '../records/history-rows.ts'
import type { RegisteredSet } from '../records/range-rows.ts'

// What is known of leases whose pods may be gone, and of pods whose leases are: kept beside the leases, so that rounds count
// also where the process between them was another.

/** An attachment that no witness named when it was last looked at. */
export interface Suspicion extends Holder {
  /** Of its youngest lease: what is given to the same holder later is not meant. */
  readonly at: number
  /** In how many rounds, one after another. */
  readonly count: number
  readonly since: number
  /** Of the last round that counted. */
  readonly last: number
  readonly verdict: 'suspect' | 'leaked'
  readonly why: string
}

/** An address on an interface of a pod that has no lease of it. It is given to no other while it is there. */
export interface AddressConflict extends Holder {
  readonly address: Address
  readonly pod?: string
  readonly netns: string
  readonly namespaceId: string
  readonly boot: string
  /** Milliseconds since the epoch: when it was found. */
  readonly at: number
}

/** Leases that are held now, with all of each holder, and what is suspected of holders from there on to the last one. */
export interface LeasePage {
  readonly leases: readonly Lease[]
  /** Also of holders that have no lease any more. */
  readonly suspicions: readonly Suspicion[]
  /** Behind which the next page begins; absent where this one reaches to the end. */
  readonly last?: Holder
}

export interface LeakBook {
  /**
   * The next leases in the order of their holders, of which a page has `most`, or as many more as the last holder has. A part at
   * a time: pods ask for addresses in between, and of 65,000 leases some hundred are in memory.
   */
  page(after: Holder | undefined, most: number): Promise<LeasePage>
  /** Those of these addresses that are held now. */
  holding(addresses: readonly Address[]): Promise<readonly Lease[]>
  /** Leases of this start of the machine that have ended, the latest first. */
  ended(boot: string, most: number): Promise<readonly PastLease[]>
  sets(): Promise<readonly RegisteredSet[]>
  suspicions(): Promise<readonly Suspicion[]>
  /** Of those that are known, those that are not among the next are forgotten. Nothing is written where they are the same. */
  keepSuspicions(known: readonly Suspicion[], next: readonly Suspicion[]): Promise<void>
  conflicts(): Promise<readonly AddressConflict[]>
  /** In place of those that were there. Nothing is written where they are the same. */
  keepConflicts(conflicts: readonly AddressConflict[]): Promise<void>
  /** Both, in place of all that were there. */
  keep(suspicions: readonly Suspicion[], conflicts: readonly AddressConflict[]): Promise<void>
  /** Whether the holder of these leases has them still, and no other. */
  areHeld(leases: readonly Lease[]): Promise<boolean>
  /** Only where they are. What was released; the addresses cool down. */
  releaseHeld(leases: readonly Lease[], why: string): Promise<readonly Lease[]>
  close(): void
}
