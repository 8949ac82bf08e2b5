import type { Rule } from 'iptables-parser'
import { CannotTrace, type End, type Hop, type Path } from '#proxy/modes/trace.ts'
import type { Address } from '#values/address.ts'
import { only } from './understood.ts'

// The state of a packet, and what a rule that matched makes of it.

export interface IpvsPacketState {
  readonly share: number
  readonly hops: readonly Hop[]
  readonly to: Address
  readonly port: number
  readonly mark: number
  readonly endpoint?: string
  readonly masqueraded: boolean
  readonly stopped?: 'rejected' | 'dropped'
}

export interface IpvsRuleOutcome {
  readonly state: IpvsPacketState
  /** `next`: on to the next rule; `return`: out of this chain; `done`: this table has nothing more to say. */
  readonly onward: 'next' | 'return' | 'done'
}

interface Effect extends Partial<IpvsPacketState> {
  readonly did: string
  readonly onward: IpvsRuleOutcome['onward']
}

/** What a target that is no chain makes of a packet. */
export function obeyed(rule: Rule, at: string, state: IpvsPacketState): IpvsRuleOutcome {
  const { did, onward, ...change } = effect(rule, state)
  return { state: { ...state, ...change, hops: [...state.hops, { at, rule: rule.text, did }] }, onward }
}

function effect(rule: Rule, { mark }: IpvsPacketState): Effect {
  const { target } = rule
  switch (target?.name) {
    case 'RETURN':
      return { did: 'return', onward: 'return' }
    case 'ACCEPT':
      return { did: 'accept', onward: 'done' }
    case 'DROP':
      return { did: 'drop', onward: 'done', stopped: 'dropped' }
    case 'REJECT':
      return { did: 'reject', onward: 'done', stopped: 'rejected' }
    case 'MASQUERADE':
      return { did: 'masquerade', onward: 'done', masqueraded: true }
    case 'MARK': {
      // `value/mask` clears the bits of the mask and turns those of the value.
      const [value = 0, bits = 0] = only(rule, target.options, '--set-xmark').value.split('/').map(Number)
      const did = bits === 0 ? 'clear mark' : 'mark for masquerade'
      return { did, onward: 'next', mark: (((mark & ~bits) >>> 0) ^ value) >>> 0 }
    }
    default:
      throw new CannotTrace(rule, `leads to ${target?.name}, which is no chain of these rules and no target known here`)
  }
}

export function pathOf({ share, hops, stopped, endpoint, masqueraded }: IpvsPacketState): Path {
  const open: End =
    endpoint === undefined ? { to: 'untouched', masqueraded } : { to: 'endpoint', endpoint, masqueraded }
  return { share, hops, end: stopped === undefined ? open : { to: stopped } }
}
