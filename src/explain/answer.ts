import type { Hop } from '#proxy/modes/trace.ts'
import type { Address } from '#values/address.ts'
import type { Protocol } from '#values/protocol.ts'
import type { Reason } from './service/reasons.ts'

// The answer to one question, as a value: text, JSON and the page are made from it.

export interface Explanation {
  readonly from: { readonly label: string; readonly address: Address }
  readonly to: { readonly label: string; readonly address: Address; readonly port: number; readonly protocol: Protocol }
  readonly node: string
  readonly mode: string
  readonly rules: 'wanted' | 'of the kernel'
  /** From its sender to the rules. */
  readonly before: readonly Station[]
  /** Every way that chance may take; their shares add up to 1. */
  readonly ways: readonly Way[]
  /** Why it is refused, or what it goes to where that is no Service. */
  readonly reason?: Reason
  /** What an operator should look at: connections that stand in the way, rules that are not as they should be. */
  readonly findings: readonly string[]
  /** Set where a real packet was sent. */
  readonly sent?: SentPacket
}

/** A place on the way that is no rule. */
export interface Station {
  readonly at: string
  readonly text: string
}

export interface Way {
  readonly share: number
  readonly hops: readonly Hop[]
  readonly end: WayEnd
  /** What the endpoint sees as the source, and why. */
  readonly source?: string
  /** From the rules to the endpoint. */
  readonly after: readonly Station[]
}

export type WayEnd =
  | { readonly to: 'endpoint'; readonly endpoint: string; readonly masqueraded: boolean }
  | { readonly to: 'rejected' | 'dropped' }
  | { readonly to: 'untouched'; readonly masqueraded: boolean }

export interface SentPacket {
  readonly outcome: 'answered' | 'refused' | 'silence' | 'unreachable'
  /** What answers by the kernel's table of connections, where that is known. */
  readonly answeredBy?: string
  readonly asExplained: boolean
  readonly text: string
}
