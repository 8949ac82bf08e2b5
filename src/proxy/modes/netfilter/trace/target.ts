import type { Options, Rule, Target } from 'iptables-parser'
import { CannotTrace } from '#proxy/modes/trace.ts'
import { hostPort, parseAddress } from '#values/address.ts'
import { bits, knownOptions } from './options.ts'
import type { TracedPacket } from './packet.ts'

// A rule that matched → what it does to the packet.

/** `next`: the next rule follows; `return`: out of this chain; `done`: no further rule of this table. */
export type Onward = 'next' | 'return' | 'done'

export interface Effect {
  readonly did: string
  readonly onward: Onward
  readonly change: (state: TracedPacket) => Partial<TracedPacket>
}

/** By the name of the target. */
export type Targets = Readonly<Record<string, (rule: Rule, target: Target) => Effect>>

const nothing = (): Partial<TracedPacket> => ({})

/** For a rule whose target is not a chain. */
export function effect(rule: Rule, own: Targets): Effect {
  const { target } = rule
  const special = target && own[target.name]
  if (special !== undefined) return special(rule, target!)
  switch (target?.name) {
    case undefined:
      return { did: 'nothing', onward: 'next', change: nothing }
    case 'RETURN':
      return { did: 'return', onward: 'return', change: nothing }
    case 'ACCEPT':
      return { did: 'accept', onward: 'done', change: nothing }
    case 'DROP':
      return { did: 'drop', onward: 'done', change: () => ({ stopped: 'dropped' }) }
    case 'REJECT':
      knownOptions(rule, target.options, ['--reject-with'])
      return { did: 'reject', onward: 'done', change: () => ({ stopped: 'rejected' }) }
    case 'MASQUERADE':
      knownOptions(rule, target.options, ['--random-fully'])
      return { did: 'masquerade', onward: 'done', change: () => ({ masqueraded: true }) }
    case 'MARK': {
      const mark = setMark(rule, target.options)
      return { did: mark.did, onward: 'next', change: state => ({ mark: mark.of(state.mark) }) }
    }
    case 'DNAT':
      return { ...redirect(rule, target), onward: 'done' }
    default:
      throw new CannotTrace(rule, `leads to ${target?.name}, which is no chain of these rules and no target known here`)
  }
}

function redirect(rule: Rule, { options }: Target): Omit<Effect, 'onward'> {
  knownOptions(rule, options, ['--to-destination'])
  const text = options.get('--to-destination')?.values[0] ?? ''
  const [, bracketed, bare, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text) ?? []
  const to = parseAddress(bracketed ?? bare)
  if (to === undefined) throw new CannotTrace(rule, `sends to "${text}", which is not one address and port`)
  const endpoint = hostPort(to, Number(port))
  return { did: `dnat to ${endpoint}`, change: () => ({ to, port: Number(port), endpoint }) }
}

/** `--set-xmark value/mask` clears the bits of the mask and turns those of the value. */
function setMark(rule: Rule, options: Options): { readonly did: string; readonly of: (mark: number) => number } {
  knownOptions(rule, options, ['--set-xmark'])
  const { value, mask } = bits(rule, options, '--set-xmark')
  const did = mask === 0 ? 'clear mark' : 'mark for masquerade'
  return { did, of: mark => (((mark & ~mask) >>> 0) ^ value) >>> 0 }
}
