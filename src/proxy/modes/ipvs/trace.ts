import type { Rule } from 'iptables-parser'
import type { Ruleset } from '#proxy/modes/mode.ts'
import type { Hop, Packet, Path } from '#proxy/modes/trace.ts'
import { type Address, familyOf } from '#values/address.ts'
import { addressUnit, type IpvsTable } from './names.ts'
import { type IpvsPacketState, type IpvsRuleOutcome, obeyed, pathOf } from './trace/packet.ts'
import { matches, Rules } from './trace/rules.ts'
import { served } from './trace/servers.ts'
import { Sets } from './trace/sets.ts'

// Rules, sets and virtual servers, and a first packet → what the kernel would do with it. IPVS stands between the filter
// table and the way out for what comes in, and before the filter table for what the node itself sends.

export function trace(ruleset: Ruleset, packet: Packet): readonly Path[] {
  const walk = new Walk(ruleset, packet)
  const states = packet.via.hook === 'output' ? walk.leaving() : walk.arriving(packet.via.iface)
  return states.map(pathOf)
}

/** Where a packet meets rules. */
interface RulePosition {
  readonly table: IpvsTable
  readonly chain: string
  /** Empty where the packet came in through no interface. */
  readonly iface: string
}

class Walk {
  readonly #ruleset: Ruleset
  readonly #packet: Packet
  readonly #rules: Rules
  readonly #sets: Sets

  constructor(ruleset: Ruleset, packet: Packet) {
    this.#ruleset = ruleset
    this.#packet = packet
    this.#rules = new Rules(ruleset)
    this.#sets = new Sets(ruleset)
  }

  /** Through an interface: to the node itself, or on to somewhere else. */
  arriving(iface: string): readonly IpvsPacketState[] {
    const routed = this.#pass({ table: 'nat', chain: 'PREROUTING', iface }, this.#start())
    if (this.#isMartian()) return [{ ...routed, stopped: 'dropped', hops: [...routed.hops, MARTIAN] }]
    if (!this.#isHere(routed.to)) {
      const forwarded = this.#pass({ table: 'filter', chain: 'FORWARD', iface }, routed)
      return [this.#pass({ table: 'nat', chain: 'POSTROUTING', iface: '' }, forwarded)]
    }
    const allowed = this.#pass({ table: 'filter', chain: 'INPUT', iface }, routed)
    // What IPVS sends to the node itself goes on inwards; everything else goes out.
    return this.#serve(allowed).map(state => (this.#isHere(state.to) ? state : this.#out(state)))
  }

  /** From the node: what it sends to itself comes in again. */
  leaving(): readonly IpvsPacketState[] {
    const asked = this.#pass({ table: 'mangle', chain: 'OUTPUT', iface: '' }, this.#start())
    const routed = this.#pass({ table: 'nat', chain: 'OUTPUT', iface: '' }, asked)
    return this.#serve(routed).map(state => {
      const sent = this.#out(state)
      return this.#isHere(sent.to) ? this.#pass({ table: 'filter', chain: 'INPUT', iface: 'lo' }, sent) : sent
    })
  }

  #start(): IpvsPacketState {
    const { to, port } = this.#packet
    return { share: 1, hops: [], to, port, mark: 0, masqueraded: false }
  }

  /** A Service's address is the node's own, for the kernel. */
  #isHere(ip: Address): boolean {
    const isLoopback = ip === '::1' || ip.startsWith('127.')
    return isLoopback || this.#packet.nodeAddresses.includes(ip) || this.#ruleset.has(addressUnit(ip))
  }

  /** IPv4 refuses what comes from elsewhere with one of the node's own addresses as its source, and a Service's is one. */
  #isMartian(): boolean {
    const { from } = this.#packet
    return this.#ruleset.has(addressUnit(from)) && familyOf(from) === 'ipv4'
  }

  #serve(state: IpvsPacketState): readonly IpvsPacketState[] {
    return state.stopped === undefined ? served(this.#ruleset, this.#packet, state) : [state]
  }

  #out(state: IpvsPacketState): IpvsPacketState {
    const allowed = this.#pass({ table: 'filter', chain: 'OUTPUT', iface: '' }, state)
    return this.#pass({ table: 'nat', chain: 'POSTROUTING', iface: '' }, allowed)
  }

  #pass(position: RulePosition, state: IpvsPacketState): IpvsPacketState {
    return state.stopped === undefined ? this.#through(position, state).state : state
  }

  #through(position: RulePosition, arrived: IpvsPacketState): IpvsRuleOutcome {
    let state = arrived
    for (const rule of this.#rules.of(position.table, position.chain) ?? []) {
      const { to, port, mark } = state
      const { iface } = position
      const sight = { packet: this.#packet, iface, to, port, mark, sets: this.#sets }
      if (!matches(rule, { ...sight, isLocal: ip => this.#isHere(ip) })) continue
      const outcome = this.#obey(rule, position, state)
      if (outcome.onward !== 'next') return outcome
      state = outcome.state
    }
    return { state, onward: 'return' }
  }

  #obey(rule: Rule, position: RulePosition, state: IpvsPacketState): IpvsRuleOutcome {
    const { target } = rule
    const at = `${position.table} ${position.chain}`
    if (target === undefined || this.#rules.of(position.table, target.name) === undefined)
      return obeyed(rule, at, state)
    const hop = { at, rule: rule.text, did: `jump ${target.name}` }
    const inside = this.#through({ ...position, chain: target.name }, { ...state, hops: [...state.hops, hop] })
    return inside.onward === 'return' ? { ...inside, onward: 'next' } : inside
  }
}

const MARTIAN: Hop = {
  at: 'routing',
  rule: 'source address on kube-ipvs0',
  did: 'drop: it claims to come from this node',
}
