import type { End, Hop, Packet, Path } from '#proxy/modes/trace.ts'
import type { Address } from '#values/address.ts'

// A packet on its way through the rules.

/** A rule that matches at random splits one into two. */
export interface TracedPacket {
  readonly share: number
  readonly hops: readonly Hop[]
  /** After DNAT, the new destination. */
  readonly to: Address
  readonly port: number
  readonly mark: number
  readonly endpoint?: string
  /** The listener of this node to which it was redirected. */
  readonly listener?: string
  readonly masqueraded: boolean
  readonly stopped?: 'rejected' | 'dropped'
}

export function firstOf({ to, port }: Packet): TracedPacket {
  return { share: 1, hops: [], to, port, mark: 0, masqueraded: false }
}

export function withHop(state: TracedPacket, hop: Hop): TracedPacket {
  return { ...state, hops: [...state.hops, hop] }
}

export function pathOf({ share, hops, ...state }: TracedPacket): Path {
  return { share, hops, end: endOf(state) }
}

function endOf({ stopped, endpoint, masqueraded }: Omit<TracedPacket, 'share' | 'hops'>): End {
  if (stopped !== undefined) return { to: stopped }
  return endpoint === undefined ? { to: 'untouched', masqueraded } : { to: 'endpoint', endpoint, masqueraded }
}
