import type { Rule, Target } from 'iptables-parser'
import type { Ruleset } from '#proxy/modes/mode.ts'
import type { End, Packet, Path } from '#proxy/modes/trace.ts'
import type { Table } from './names.ts'
import { Chains } from './trace/chains.ts'
import { chance, isLocal, type VisiblePacket } from './trace/match.ts'
import { effect, type RuleOutcome, type TracedPacket } from './trace/target.ts'

// Rule texts and a first packet → what the kernel would do with it, rule by rule. Only the text of the rules is read,
// never the Services they were made from.

export function trace(rules: Ruleset, packet: Packet): readonly Path[] {
  const walk = new Walk(rules, packet)
  const paths = packet.via.hook === 'output' ? walk.leaving() : walk.arriving(packet.via.iface)
  return paths.map(({ share, hops, ...state }) => ({ share, hops, end: endOf(state) }))
}

interface ChainVisit {
  readonly table: Table
  readonly chain: string
  /** Empty for a packet that arrived on no interface. */
  readonly iface: string
}

function endOf({ stopped, endpoint, masqueraded }: Omit<TracedPacket, 'share' | 'hops'>): End {
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

  /** Arrived on an interface: for the node itself, or to be forwarded. */
  arriving(iface: string): readonly TracedPacket[] {
    const routed = this.#pass({ table: 'nat', chain: 'PREROUTING', iface }, [this.#start()])
    const [here, elsewhere] = partition(routed, ({ to }) => isLocal(to, this.#packet))
    const forwarded = this.#pass({ table: 'filter', chain: 'FORWARD', iface }, elsewhere)
    return [
      ...this.#pass({ table: 'filter', chain: 'INPUT', iface }, here),
      ...this.#pass({ table: 'nat', chain: 'POSTROUTING', iface: '' }, forwarded),
    ]
  }

  /** Sent by the node: a packet to itself arrives again, and nat already knows its connection. */
  leaving(): readonly TracedPacket[] {
    const routed = this.#pass({ table: 'nat', chain: 'OUTPUT', iface: '' }, [this.#start()])
    const allowed = this.#pass({ table: 'filter', chain: 'OUTPUT', iface: '' }, routed)
    const sent = this.#pass({ table: 'nat', chain: 'POSTROUTING', iface: '' }, allowed)
    const [here, elsewhere] = partition(sent, ({ to }) => isLocal(to, this.#packet))
    return [...this.#pass({ table: 'filter', chain: 'INPUT', iface: 'lo' }, here), ...elsewhere]
  }

  #start(): TracedPacket {
    const { to, port } = this.#packet
    return { share: 1, hops: [], to, port, mark: 0, masqueraded: false }
  }

  /** Through a built-in chain, whose policy is taken to be ACCEPT. */
  #pass(visit: ChainVisit, states: readonly TracedPacket[]): readonly TracedPacket[] {
    return states.flatMap(state =>
      state.stopped === undefined ? this.#through(visit, state).map(outcome => outcome.state) : [state],
    )
  }

  /** All outcomes of the packet in one chain. */
  #through(visit: ChainVisit, arrived: TracedPacket): readonly RuleOutcome[] {
    const outcomes: RuleOutcome[] = []
    let inside: readonly TracedPacket[] = [arrived]
    for (const rule of this.#chains.rules(visit.table, visit.chain) ?? []) {
      const staying: TracedPacket[] = []
      for (const state of inside) {
        const part = chance(rule, this.#visible(visit, state))
        if (part < 1) staying.push(part === 0 ? state : { ...state, share: state.share * (1 - part) })
        if (part === 0) continue
        for (const outcome of this.#apply(rule, visit, { ...state, share: state.share * part })) {
          if (outcome.onward === 'next') staying.push(outcome.state)
          else outcomes.push(outcome)
        }
      }
      inside = staying
    }
    return [...outcomes, ...inside.map((state): RuleOutcome => ({ state, onward: 'return' }))]
  }

  #visible({ iface }: ChainVisit, { to, port, mark, endpoint }: TracedPacket): VisiblePacket {
    const visible = { packet: this.#packet, iface, to, port, mark, dnat: endpoint !== undefined }
    return {
      ...visible,
      lastOf: list =>
        this.#chains.destinationOf(list) === this.#packet.last?.endpoint ? this.#packet.last : undefined,
    }
  }

  #apply(rule: Rule, visit: ChainVisit, state: TracedPacket): readonly RuleOutcome[] {
    const { target } = rule
    const inChain = target !== undefined && this.#chains.rules(visit.table, target.name) !== undefined
    if (inChain) return this.#enter(rule, target, { visit, state })
    const { did, onward, change } = effect(rule)
    const hop = { at: `${visit.table} ${visit.chain}`, rule: rule.text, did }
    return [{ state: { ...state, ...change(state), hops: [...state.hops, hop] }, onward }]
  }

  /** After RETURN from a jump the next rule follows; after RETURN from a goto the packet leaves this chain as well. */
  #enter(
    rule: Rule,
    { name, by }: Target,
    { visit, state }: { visit: ChainVisit; state: TracedPacket },
  ): readonly RuleOutcome[] {
    const hop = { at: `${visit.table} ${visit.chain}`, rule: rule.text, did: `${by} ${name}` }
    const back = by === 'jump' ? 'next' : 'return'
    return this.#through({ ...visit, chain: name }, { ...state, hops: [...state.hops, hop] }).map(outcome =>
      outcome.onward === 'return' ? { ...outcome, onward: back } : outcome,
    )
  }
}

function partition<T>(all: readonly T[], holds: (one: T) => boolean): readonly [readonly T[], readonly T[]] {
  return [all.filter(holds), all.filter(one => !holds(one))]
}
