import type { Target } from 'iptables-parser'
import type { Table } from '#proxy/modes/netfilter/units.ts'
import type { Packet } from '#proxy/modes/trace.ts'
import type { Address } from '#values/address.ts'
import { chance, type Matches, type VisiblePacket } from './match.ts'
import { type TracedPacket, withHop } from './packet.ts'
import type { RuleChains, WrittenRule } from './rule-chains.ts'
import { effect, type Onward, type Targets } from './target.ts'

// A packet at the head of a chain → every way it can leave it.

/** Where a packet meets rules. */
export interface ChainVisit {
  readonly table: Table
  readonly chain: string
  /** Empty for a packet that arrived on no interface. */
  readonly iface: string
}

export interface WalkParts {
  readonly packet: Packet
  readonly chains: RuleChains
  /** For rules of a mode alone. */
  readonly matches: Matches
  readonly targets: Targets
  readonly isLocal: (ip: Address) => boolean
}

interface RuleOutcome {
  readonly state: TracedPacket
  readonly onward: Onward
}

export class Walk {
  readonly #parts: WalkParts

  constructor(parts: WalkParts) {
    this.#parts = parts
  }

  /** Through a built-in chain, whose policy is taken to be ACCEPT. */
  pass(visit: ChainVisit, states: readonly TracedPacket[]): readonly TracedPacket[] {
    return states.flatMap(state =>
      state.stopped === undefined ? this.#through(visit, state).map(outcome => outcome.state) : [state],
    )
  }

  /** All outcomes of the packet in one chain. */
  #through(visit: ChainVisit, arrived: TracedPacket): readonly RuleOutcome[] {
    const { chains, matches } = this.#parts
    const outcomes: RuleOutcome[] = []
    let inside: readonly TracedPacket[] = [arrived]
    for (const written of chains.rules(visit.table, visit.chain) ?? []) {
      const staying: TracedPacket[] = []
      for (const state of inside) {
        const part = chance(written.rule, this.#visible(visit, state), matches)
        if (part < 1) staying.push(part === 0 ? state : { ...state, share: state.share * (1 - part) })
        if (part === 0) continue
        for (const outcome of this.#apply(written, visit, { ...state, share: state.share * part })) {
          if (outcome.onward === 'next') staying.push(outcome.state)
          else outcomes.push(outcome)
        }
      }
      inside = staying
    }
    return [...outcomes, ...inside.map((state): RuleOutcome => ({ state, onward: 'return' }))]
  }

  #visible({ iface }: ChainVisit, { to, port, mark, endpoint, listener }: TracedPacket): VisiblePacket {
    const { packet, chains, isLocal } = this.#parts
    const dnat = endpoint !== undefined || listener !== undefined
    const lastOf = (list: string) => (chains.destinationOf(list) === packet.last?.endpoint ? packet.last : undefined)
    return { packet, iface, to, port, mark, dnat, isLocal, lastOf }
  }

  #apply({ rule, text }: WrittenRule, visit: ChainVisit, state: TracedPacket): readonly RuleOutcome[] {
    const { chains, targets } = this.#parts
    const { target } = rule
    const at = `${visit.table} ${visit.chain}`
    if (target !== undefined && chains.rules(visit.table, target.name) !== undefined) {
      return this.#enter(target, visit, withHop(state, { at, rule: text, did: `${target.by} ${target.name}` }))
    }
    const { did, onward, change } = effect(rule, targets)
    return [{ state: withHop({ ...state, ...change(state) }, { at, rule: text, did }), onward }]
  }

  /** After RETURN from a jump the next rule follows; after RETURN from a goto the packet leaves this chain as well. */
  #enter({ name, by }: Target, visit: ChainVisit, state: TracedPacket): readonly RuleOutcome[] {
    const back = by === 'jump' ? 'next' : 'return'
    return this.#through({ ...visit, chain: name }, state).map(outcome =>
      outcome.onward === 'return' ? { ...outcome, onward: back } : outcome,
    )
  }
}
