import type { Ruleset } from '#proxy/modes/mode.ts'
import type { Jumps } from '#proxy/modes/netfilter/jumps.ts'
import { isOwn, type Packet } from '#proxy/modes/trace.ts'
import type { Address } from '#values/address.ts'
import type { Matches } from './match.ts'
import { firstOf, type TracedPacket } from './packet.ts'
import { type Parse, RuleChains } from './rule-chains.ts'
import type { Targets } from './target.ts'
import { type ChainVisit, Walk } from './walk.ts'

// Rule texts and a first packet → what the kernel would do with it, rule by rule. Only the text of the rules is read, never the
// Services they were made from.

/** What a mode has besides the rules that all modes have. */
export interface Tracing {
  readonly jumps: Jumps
  readonly parse?: Parse
  readonly matches?: Matches
  readonly targets?: Targets
  /** Addresses that are local to this node besides its own. */
  readonly isLocal?: (ip: Address) => boolean
  /** What routing makes of a packet that came in. */
  readonly route?: (state: TracedPacket) => TracedPacket
  /** Where packets to this node go from here: in for what came in, out for what the node sends. */
  readonly serve?: (state: TracedPacket) => readonly TracedPacket[]
}

/** Every way the packet can go; several where a rule chooses at random. */
export function traced(rules: Ruleset, packet: Packet, tracing: Tracing): readonly TracedPacket[] {
  const hooks = new Hooks(rules, packet, tracing)
  return packet.via.hook === 'output' ? hooks.leaving() : hooks.arriving(packet.via.iface)
}

class Hooks {
  readonly #packet: Packet
  readonly #tracing: Tracing
  readonly #walk: Walk

  constructor(rules: Ruleset, packet: Packet, tracing: Tracing) {
    const { jumps, parse, matches = {}, targets = {} } = tracing
    this.#packet = packet
    this.#tracing = tracing
    const isLocal = (ip: Address): boolean => this.#isLocal(ip)
    this.#walk = new Walk({ packet, chains: new RuleChains(rules, jumps, parse), matches, targets, isLocal })
  }

  /** Arrived on an interface: for the node itself, or to be forwarded. */
  arriving(iface: string): readonly TracedPacket[] {
    const { route = as => as } = this.#tracing
    const routed = this.#pass({ table: 'nat', chain: 'PREROUTING', iface }, [firstOf(this.#packet)]).map(route)
    return routed.flatMap(state => {
      if (state.stopped !== undefined) return [state]
      if (this.#isHere(state)) return this.#inwards(state, iface)
      return this.#pass(POSTROUTING, this.#pass({ table: 'filter', chain: 'FORWARD', iface }, [state]))
    })
  }

  /** What is served here goes on: to the node itself, or out. */
  #inwards(state: TracedPacket, iface: string): readonly TracedPacket[] {
    const allowed = this.#pass({ table: 'filter', chain: 'INPUT', iface }, [state])
    return this.#served(allowed).flatMap(one => (this.#isHere(one) ? [one] : this.#outwards([one])))
  }

  /** Sent by the node: a packet to itself arrives again, and nat already knows its connection. */
  leaving(): readonly TracedPacket[] {
    const asked = this.#pass({ table: 'mangle', chain: 'OUTPUT', iface: '' }, [firstOf(this.#packet)])
    const routed = this.#pass({ table: 'nat', chain: 'OUTPUT', iface: '' }, asked)
    return this.#outwards(this.#served(routed)).flatMap(sent =>
      this.#isHere(sent) ? this.#pass({ table: 'filter', chain: 'INPUT', iface: 'lo' }, [sent]) : [sent],
    )
  }

  #outwards(states: readonly TracedPacket[]): readonly TracedPacket[] {
    return this.#pass(POSTROUTING, this.#pass({ table: 'filter', chain: 'OUTPUT', iface: '' }, states))
  }

  #pass(visit: ChainVisit, states: readonly TracedPacket[]): readonly TracedPacket[] {
    return this.#walk.pass(visit, states)
  }

  #served(states: readonly TracedPacket[]): readonly TracedPacket[] {
    const { serve } = this.#tracing
    if (serve === undefined) return states
    return states.flatMap(state => (state.stopped === undefined ? serve(state) : [state]))
  }

  #isHere({ to, listener }: TracedPacket): boolean {
    return listener !== undefined || this.#isLocal(to)
  }

  #isLocal(ip: Address): boolean {
    return isOwn(ip, this.#packet) || this.#tracing.isLocal?.(ip) === true
  }
}

const POSTROUTING: ChainVisit = { table: 'nat', chain: 'POSTROUTING', iface: '' }
