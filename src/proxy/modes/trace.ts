import { type Address, isLoopback } from '#values/address.ts'
import type { Protocol } from '#values/protocol.ts'

// A first packet and a ruleset → every path it can take. Rules that choose at random make several paths, each with its
// share.

export interface Packet {
  readonly protocol: Protocol
  readonly from: Address
  readonly to: Address
  readonly port: number
  /** Sent by the node itself, or arrived on an interface. */
  readonly via: { readonly hook: 'output' } | { readonly hook: 'prerouting'; readonly iface: string }
  /** The node's own addresses, loopback included: what the kernel calls LOCAL. */
  readonly nodeAddresses: readonly Address[]
  /** Where this client was sent last, for session affinity. */
  readonly last?: { readonly endpoint: string; readonly secondsAgo: number }
}

/** What the kernel calls LOCAL on this node. */
export function isOwn(ip: Address, { nodeAddresses }: Pick<Packet, 'nodeAddresses'>): boolean {
  return isLoopback(ip) || nodeAddresses.includes(ip)
}

export interface Path {
  /** The part of all such packets that takes this path; the shares of one trace add up to 1. */
  readonly share: number
  readonly hops: readonly Hop[]
  readonly end: End
}

export interface Hop {
  /** The chain or map the packet was in. */
  readonly at: string
  /** The rule or element that matched, as the tool prints it. */
  readonly rule: string
  /** What it did, in a few words: `jump KUBE-SVC-…`, `mark for masquerade`, `dnat to 10.1.0.4:8080`. */
  readonly did: string
}

/** A rule that a tracer does not understand: skipping it would give a wrong answer. */
export class CannotTrace extends Error {
  constructor({ text }: { readonly text: string }, why: string) {
    super(`cannot trace "${text}": it ${why}`)
    this.name = 'CannotTrace'
  }
}

export type End =
  | { readonly to: 'endpoint'; readonly endpoint: string; readonly masqueraded: boolean }
  | { readonly to: 'rejected' }
  | { readonly to: 'dropped' }
  /** No rule of ours changes its destination: it is routed by its own address. */
  | { readonly to: 'untouched'; readonly masqueraded: boolean }
