import type { RangeSet } from '#ipam/ranges/range-set.ts'
import type { Address, Family } from '#values/address.ts'

// Who holds which address on this node. One transaction per change, durable when it returns; whichever process writes, an
// address has one owner.

/** One interface of one container in one network: what DEL and CHECK know. */
export interface Holder {
  readonly network: string
  readonly container: string
  readonly ifname: string
}

/** The same for the same holder, and for no other. */
export function holderKey({ network, container, ifname }: Holder): string {
  return JSON.stringify([network, container, ifname])
}

/** Who asks, with what a person would look for. */
export interface LeaseOwner extends Holder {
  /** `namespace/name`. */
  readonly pod?: string
  readonly uid?: string
  readonly netns?: string
  /** Of the network namespace: an inode number is given to the next one, so it counts with the boot alone. */
  readonly namespaceId?: string
}

export interface Lease extends LeaseOwner {
  readonly address: Address
  readonly family: Family
  /** Which of the network's range sets it came from. */
  readonly set: number
  /** Empty where the machine does not say, or another program gave the address. */
  readonly boot: string
  readonly state: 'assigned' | 'cooldown'
  /** Milliseconds since the epoch: when this state began. */
  readonly at: number
  /** Of a cooldown: when the address may be given again. */
  readonly until?: number
}

export interface LeaseRequest {
  readonly owner: LeaseOwner
  /** One address from each. */
  readonly sets: readonly RangeSet[]
  /** Where the sets are those of the node: of which moment. With others by now, nothing is given. */
  readonly revision?: number
  /** Addresses asked for, at most one of each set. One that cools down in this network is given: it was asked for by name. */
  readonly requested: readonly Address[]
  /** `reuse`: the same addresses again, where the holder has one of every set, in the same network namespace. */
  readonly onDuplicate: 'error' | 'reuse'
  /** Whether an address may be leased in another network, too: for networks that are apart and have the same subnet. */
  readonly overlap: 'refuse' | 'allow'
  /** How long an address is not given again once it is released. Kept with the lease: a release may know no configuration. */
  readonly cooldownMs: number
}

export interface LeaseBook {
  /** All or none: one lease for each set, in their order. Fails with LeaseRefused. */
  take(request: LeaseRequest): Promise<readonly Lease[]>
  /** What was held, and no longer is. Empty where nothing was. */
  release(holder: Holder, why: string): Promise<readonly Lease[]>
  held(holder: Holder): Promise<readonly Lease[]>
  /** Fails with LeaseStoreFailed where no lease could be written; a full disk shows itself only once one is. */
  ready(): Promise<void>
  /** Of each set, in their order: what STATUS and messages count. */
  usage(request: Pick<LeaseRequest, 'sets' | 'overlap'> & { readonly network: string }): Promise<readonly SetUsage[]>
  /** Releases each lease of the network whose attachment is not among these. */
  keepOnly(network: string, attachments: readonly Omit<Holder, 'network'>[], why: string): Promise<readonly Lease[]>
  /** What the node may give addresses from; undefined where only configurations say. */
  granted(): Promise<GrantedRanges | undefined>
  close(): void
}

/** Of two sources of ranges: configurations are the third. */
export type GrantSource = 'node' | 'ring'

export interface GrantedRanges {
  readonly source: GrantSource
  /** Empty where the node has no range, or has one no longer. */
  readonly sets: readonly RangeSet[]
  /** Why there is none, as a sentence goes on behind a colon; empty where there is one. */
  readonly why: string
  /** Grows with each change of the sets. */
  readonly revision: number
}

/** Why a request got no lease, with what a person needs to see. Nothing was taken. */
export type LeaseRefusal =
  /** The holder has an address of this network already; the lease is the one it has. */
  | { readonly kind: 'duplicate'; readonly set: number; readonly lease: Lease }
  /** An address that was asked for is leased, or cools down in another network, whose lease this then is. */
  | { readonly kind: 'taken'; readonly set: number; readonly address: Address; readonly lease: Lease }
  /** The node's ranges have changed since the request was made. */
  | { readonly kind: 'outdated'; readonly set: number }
  /** No address of the set is free. */
  | { readonly kind: 'full'; readonly set: number; readonly usage: SetUsage }

/** Of one range set. Size is what could be given, without gateways, network and broadcast address. */
export interface SetUsage {
  readonly size: bigint
  readonly assigned: number
  readonly cooling: number
  /** Leased in other networks, the gateway of one, or used by a pod that has no lease of it. */
  readonly elsewhere: number
  /** When the first of those that cool down is free, in milliseconds since the epoch. */
  readonly freeAt?: number
  /**
   * Leases that have been there the longest, those of an earlier boot first: where a leak would be. At most five, and none
   * while addresses are free.
   */
  readonly oldest: readonly Lease[]
}

export class LeaseRefused extends Error {
  override readonly name = 'LeaseRefused'
  readonly refusal: LeaseRefusal

  constructor(refusal: LeaseRefusal) {
    super(`no lease in range set ${refusal.set}: ${refusal.kind}`)
    this.refusal = refusal
  }
}
