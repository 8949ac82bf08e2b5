import type { Rule } from 'iptables-parser'
import type { Ruleset } from '#proxy/modes/mode.ts'
import { CannotTrace, type Hop, type Packet, type Path } from '#proxy/modes/trace.ts'
import { type Address, parseAddress } from '#values/address.ts'
import { parsePoolLine } from '#values/pool-line.ts'
import { listenUnit, type UserspaceTable } from './names.ts'
import { isLocal, matches, type PacketInChain } from './trace/match.ts'
import { RuleChains } from './trace/rule-chains.ts'

// Rule texts and a first packet → the listener it reaches, and every endpoint that listener may choose. Only the text
// of the rules is read, never the Services they were made from.

export function trace(rules: Ruleset, packet: Packet): readonly Path[] {
  const walk = new Walk(new RuleChains(rules), packet)
  if (packet.via.hook === 'output') walk.leaving()
  else walk.arriving(packet.via.iface)
  const { hops, stopped, listener } = walk
  if (stopped !== undefined) return [{ share: 1, hops, end: { to: stopped } }]
  if (listener === undefined) return [{ share: 1, hops, end: { to: 'untouched', masqueraded: false } }]
  return relayed(rules, listener, { packet, hops })
}

/**
 * The second connection is the node's own, so the endpoint sees the node's address. A listener's endpoints are known
 * only in the process that has the listener.
 */
function relayed(
  rules: Ruleset,
  listener: string,
  { packet: { last }, hops }: { readonly packet: Packet; readonly hops: readonly Hop[] },
): readonly Path[] {
  const unit = listenUnit(listener)
  const text = rules.get(unit)
  const pool = text === undefined ? undefined : parsePoolLine(text)
  if (text === undefined || pool === undefined) {
    const why = 'to whom it hands its clients is known to the agent alone, or where --filename (-f) names the objects'
    throw new Error(`the packet reaches the listener "${listener}"; ${why}`)
  }
  const { endpoints, stickySeconds = -1 } = pool
  const returns = last !== undefined && last.secondsAgo <= stickySeconds && endpoints.includes(last.endpoint)
  return (returns ? [last.endpoint] : endpoints).map((endpoint, _, { length }) => ({
    share: 1 / length,
    hops: [...hops, { at: unit, rule: text, did: `connect to ${endpoint}` }],
    end: { to: 'endpoint', endpoint, masqueraded: true },
  }))
}

type Verdict = 'return' | 'done'

class Walk {
  readonly #chains: RuleChains
  readonly #packet: Packet
  readonly hops: Hop[] = []
  stopped: 'rejected' | 'dropped' | undefined
  /** The listener whose proxy port the packet was redirected to. */
  listener: string | undefined
  #to: Address
  #port: number

  constructor(chains: RuleChains, packet: Packet) {
    this.#chains = chains
    this.#packet = packet
    this.#to = packet.to
    this.#port = packet.port
  }

  /** Arrived on an interface: for the node itself, or to be forwarded. */
  arriving(iface: string): void {
    this.#through('nat', 'PREROUTING', iface)
    this.#through('filter', this.#isHere ? 'INPUT' : 'FORWARD', iface)
  }

  /** Sent by the node: a packet to itself arrives again, and nat already knows its connection. */
  leaving(): void {
    this.#through('nat', 'OUTPUT', '')
    this.#through('filter', 'OUTPUT', '')
    if (this.#isHere && this.stopped === undefined) this.#through('filter', 'INPUT', 'lo')
  }

  get #isHere(): boolean {
    return this.listener !== undefined || isLocal(this.#to, this.#packet)
  }

  #through(table: UserspaceTable, chain: string, iface: string): Verdict {
    for (const { rule, text } of this.#chains.rules(table, chain) ?? []) {
      const seen: PacketInChain = { packet: this.#packet, iface, to: this.#to, port: this.#port }
      if (!matches(rule, seen)) continue
      const { target } = rule
      if (target === undefined) continue
      const inside = this.#chains.rules(table, target.name) !== undefined
      this.hops.push({ at: `${table} ${chain}`, rule: text, did: inside ? `jump ${target.name}` : this.#apply(rule) })
      if (!inside || this.#through(table, target.name, iface) === 'done') return 'done'
    }
    return 'return'
  }

  /** Every target of ours that is not a chain ends the table. */
  #apply(rule: Rule): string {
    const { name, options } = rule.target!
    switch (name) {
      case 'ACCEPT':
        return 'accept'
      case 'DROP':
        this.stopped = 'dropped'
        return 'drop'
      case 'REJECT':
        this.stopped = 'rejected'
        return 'reject'
      case 'REDIRECT':
        return this.#redirect(rule, options.get('--to-ports')?.values[0])
      case 'DNAT':
        return this.#redirect(rule, options.get('--to-destination')?.values[0])
      default:
        throw new CannotTrace(rule, `leads to ${name}, which is no chain of these rules and no target known here`)
    }
  }

  #redirect(rule: Rule, text = ''): string {
    const [, bracketed, bare, port] = /^(?:(?:\[([^\]]+)\]|([^:]+)):)?(\d+)$/.exec(text) ?? []
    this.listener = this.#chains.listenerAt(Number(port))
    if (this.listener === undefined) throw new CannotTrace(rule, `leads to port ${port}, where none of ours listens`)
    this.#to = parseAddress(bracketed ?? bare) ?? this.#to
    this.#port = Number(port)
    return `redirect to the listener ${this.listener}`
  }
}
