import type { Rule, Target } from 'iptables-parser'
import type { Ruleset } from '#proxy/modes/mode.ts'
import type { End, Packet, Path } from '#proxy/modes/trace.ts'
import type { Table } from './names.ts'
import { Chains } from './trace/chains.ts'
import { chance, isLocal, type Sight } from './trace/match.ts'
import { effect, type Outcome, type State } from './trace/target.ts'

// Rules as they are written and a first packet → what the kernel would do with it, rule by rule. Only the text of the rules
// is asked, never what they were made from.

export function trace(rules: Ruleset, packet: Packet): readonly Path[] {
  const walk = new Walk(rules, packet)
  const paths = packet.via.hook === 'output' ? walk.leaving() : walk.arriving(packet.via.iface)
  return paths.map(({ share, hops, ...state }) => ({ share, hops, end: endOf(state) }))
}

interface Place {
  readonly table: Table
  readonly chain: string
  /** Empty where the packet came in through no interface. */
  readonly iface: string
}

function endOf({ stopped, endpoint, masqueraded }: Omit<State, 'share' | 'hops'>): End {
  if (stopped !== undefined) return { to: stopped }
  return endpoint === undefined ? { to: 'untouched', masqueraded } : { to: 'endpoint', endpoint, masqueraded }
}

class Walk {
  readonly #packet: Packet
  readonly #chains: Chains

  constructor(rules: Ruleset, packet: Packet) {
    this.#packet = packet
    this.#chains = new Chains(rules)
  }

  /** Through an interface: to the node itself, or on to somewhere else. */
  arriving(iface: string): readonly State[] {
    const routed = this.#pass({ table: 'nat', chain: 'PREROUTING', iface }, [this.#start()])
    const [here, elsewhere] = partition(routed, ({ to }) => isLocal(to, this.#packet))
    const forwarded = this.#pass({ table: 'filter', chain: 'FORWARD', iface }, elsewhere)
    return [
      ...this.#pass({ table: 'filter', chain: 'INPUT', iface }, here),
      ...this.#pass({ table: 'nat', chain: 'POSTROUTING', iface: '' }, forwarded),
    ]
  }

  /** From the node: what it sends to itself comes in again, its connection already known to nat. */
  leaving(): readonly State[] {
    const routed = this.#pass({ table: 'nat', chain: 'OUTPUT', iface: '' }, [this.#start()])
    const allowed = this.#pass({ table: 'filter', chain: 'OUTPUT', iface: '' }, routed)
    const sent = this.#pass({ table: 'nat', chain: 'POSTROUTING', iface: '' }, allowed)
    const [here, elsewhere] = partition(sent, ({ to }) => isLocal(to, this.#packet))
    return [...this.#pass({ table: 'filter', chain: 'INPUT', iface: 'lo' }, here), ...elsewhere]
  }

  #start(): State {
    const { to, port } = this.#packet
    return { share: 1, hops: [], to, port, mark: 0, masqueraded: false }
  }

  /** Through a built-in chain; its own policy is to let everything pass. */
  #pass(place: Place, states: readonly State[]): readonly State[] {
    return states.flatMap(state =>
      state.stopped === undefined ? this.#through(place, state).map(outcome => outcome.state) : [state],
    )
  }

  /** Everything that can become of the packet in one chain. */
  #through(place: Place, arrived: State): readonly Outcome[] {
    const outcomes: Outcome[] = []
    let inside: readonly State[] = [arrived]
    for (const rule of this.#chains.rules(place.table, place.chain) ?? []) {
      const staying: State[] = []
      for (const state of inside) {
        const part = chance(rule, this.#sight(place, state))
        if (part < 1) staying.push(part === 0 ? state : { ...state, share: state.share * (1 - part) })
        if (part === 0) continue
        for (const outcome of this.#obey(rule, place, { ...state, share: state.share * part })) {
          if (outcome.onward === 'next') staying.push(outcome.state)
          else outcomes.push(outcome)
        }
      }
      inside = staying
    }
    return [...outcomes, ...inside.map((state): Outcome => ({ state, onward: 'return' }))]
  }

  #sight({ iface }: Place, { to, port, mark, endpoint }: State): Sight {
    const seen = { packet: this.#packet, iface, to, port, mark, dnat: endpoint !== undefined }
    return {
      ...seen,
      lastOf: list =>
        this.#chains.destinationOf(list) === this.#packet.last?.endpoint ? this.#packet.last : undefined,
    }
  }

  #obey(rule: Rule, place: Place, state: State): readonly Outcome[] {
    const { target } = rule
    const inChain = target !== undefined && this.#chains.rules(place.table, target.name) !== undefined
    if (inChain) return this.#enter(rule, target, { place, state })
    const { did, onward, change } = effect(rule)
    const hop = { at: `${place.table} ${place.chain}`, rule: rule.text, did }
    return [{ state: { ...state, ...change(state), hops: [...state.hops, hop] }, onward }]
  }

  /** What comes back from a jump goes on behind it; what comes back from a goto leaves this chain as well. */
  #enter(rule: Rule, { name, by }: Target, { place, state }: { place: Place; state: State }): readonly Outcome[] {
    const hop = { at: `${place.table} ${place.chain}`, rule: rule.text, did: `${by} ${name}` }
    const back = by === 'jump' ? 'next' : 'return'
    return this.#through({ ...place, chain: name }, { ...state, hops: [...state.hops, hop] }).map(outcome =>
      outcome.onward === 'return' ? { ...outcome, onward: back } : outcome,
    )
  }
}

function partition<T>(all: readonly T[], holds: (one: T) => boolean): readonly [readonly T[], readonly T[]] {
  return [all.filter(holds), all.filter(one => !holds(one))]
}
