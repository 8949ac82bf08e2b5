import type { Address } from '#values/address.ts'
import type { Protocol } from '#values/protocol.ts'

// What tracer and oracle are both given, and what both return.

/** The first packet of a connection. */
export interface FirstPacket {
  readonly protocol: Protocol
  readonly from: Address
  readonly to: Address
  readonly port: number
  /** Sent by the node itself, or arrived on an interface. */
  readonly via: { readonly hook: 'output' } | { readonly hook: 'prerouting'; readonly iface: string }
  /** The node's own addresses, loopback included. */
  readonly nodeAddresses: readonly Address[]
  /** The endpoint this client was sent to last. */
  readonly last?: { readonly endpoint: string; readonly secondsAgo: number }
}

/** `rejected`, `dropped`, `untouched`, `10.244.1.2:8080` or `10.244.1.2:8080 masqueraded`, each with its part of 1. */
export type Fate = ReadonlyMap<string, number>
