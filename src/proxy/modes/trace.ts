import type { Address } from '#values/address.ts'
import type { Protocol } from '#values/protocol.ts'

// A first packet and a ruleset → every way it can go. Rules that choose at random make several ways, each with its share.

export interface Packet {
  readonly protocol: Protocol
  readonly from: Address
  readonly to: Address
  readonly port: number
  /** Sent by the node itself, or come in through an interface. */
  readonly via: { readonly hook: 'output' } | { readonly hook: 'prerouting'; readonly iface: string }
  /** The node's own addresses, loopback included: what the kernel calls LOCAL. */
  readonly nodeAddresses: readonly Address[]
  /** Where this client was sent last, for session affinity. */
  readonly last?: { readonly endpoint: string; readonly secondsAgo: number }
}

export interface Path {
  /** The part of all such packets that go this way; the shares of one trace add up to 1. */
  readonly share: number
  readonly hops: readonly Hop[]
  readonly end: End
}

export interface Hop {
  /** Where the packet was: a chain, a map. */
  readonly at: string
  /** The rule or element that matched, as the tool prints it. */
  readonly rule: string
  /** What it did, in a few words: `jump KUBE-SVC-…`, `mark for masquerade`, `dnat to 10.1.0.4:8080`. */
  readonly did: string
}

export type End =
  | { readonly to: 'endpoint'; readonly endpoint: string; readonly masqueraded: boolean }
  | { readonly to: 'rejected' }
  | { readonly to: 'dropped' }
  /** No rule of ours sends it anywhere: it goes where its address says. */
  | { readonly to: 'untouched'; readonly masqueraded: boolean }
