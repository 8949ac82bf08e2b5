import type { Rule } from 'iptables-parser'
import type { Ruleset } from '#proxy/modes/mode.ts'
import type { Hop, Packet, Path } from '#proxy/modes/trace.ts'
import { type Address, parseAddress } from '#values/address.ts'
import { parsePoolLine } from '#values/pool-line.ts'
import { listenUnit, type Table } from './names.ts'
import { CannotTrace, isLocal, matches, type Sight } from './trace/match.ts'
import { Written } from './trace/written.ts'

// Rules as they are written and a first packet → the listener it reaches, and every endpoint it may be handed to there. Only
// the text of the rules is asked, never what they were made from.

export function trace(rules: Ruleset, packet: Packet): readonly Path[] {
  const walk = new Walk(new Written(rules), packet)
  if (packet.via.hook === 'output') walk.leaving()
  else walk.arriving(packet.via.iface)
  const { hops, stopped, listener } = walk
  if (stopped !== undefined) return [{ share: 1, hops, end: { to: stopped } }]
  if (listener === undefined) return [{ share: 1, hops, end: { to: 'untouched', masqueraded: false } }]
  return handedOver(rules, listener, { packet, hops })
}

/**
 * The second connection is the node's own, so whoever answers sees the node. To whom a listener hands its clients is written
 * nowhere but in the process that has it.
 */
function handedOver(
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
  const isBack = last !== undefined && last.secondsAgo <= stickySeconds && endpoints.includes(last.endpoint)
  return (isBack ? [last.endpoint] : endpoints).map((endpoint, _, { length }) => ({
    share: 1 / length,
    hops: [...hops, { at: unit, rule: text, did: `connect to ${endpoint}` }],
    end: { to: 'endpoint', endpoint, masqueraded: true },
  }))
}

type Verdict = 'return' | 'done'

class Walk {
  readonly #written: Written
  readonly #packet: Packet
  readonly hops: Hop[] = []
  stopped: 'rejected' | 'dropped' | undefined
  /** Whose proxy port the packet is on its way to. */
  listener: string | undefined
  #to: Address
  #port: number

  constructor(written: Written, packet: Packet) {
    this.#written = written
    this.#packet = packet
    this.#to = packet.to
    this.#port = packet.port
  }

  /** Through an interface: to the node itself, or on to somewhere else. */
  arriving(iface: string): void {
    this.#through('nat', 'PREROUTING', iface)
    this.#through('filter', this.#isHere ? 'INPUT' : 'FORWARD', iface)
  }

  /** From the node: what it sends to itself comes in again, its connection already known to nat. */
  leaving(): void {
    this.#through('nat', 'OUTPUT', '')
    this.#through('filter', 'OUTPUT', '')
    if (this.#isHere && this.stopped === undefined) this.#through('filter', 'INPUT', 'lo')
  }

  get #isHere(): boolean {
    return this.listener !== undefined || isLocal(this.#to, this.#packet)
  }

  #through(table: Table, chain: string, iface: string): Verdict {
    for (const { rule, text } of this.#written.rules(table, chain) ?? []) {
      const sight: Sight = { packet: this.#packet, iface, to: this.#to, port: this.#port }
      if (!matches(rule, sight)) continue
      const { target } = rule
      if (target === undefined) continue
      const inside = this.#written.rules(table, target.name) !== undefined
      this.hops.push({ at: `${table} ${chain}`, rule: text, did: inside ? `jump ${target.name}` : this.#obey(rule) })
      if (!inside || this.#through(table, target.name, iface) === 'done') return 'done'
    }
    return 'return'
  }

  /** Every target of ours that is no chain ends the matter for its table. */
  #obey(rule: Rule): string {
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
        return this.#divert(rule, options.get('--to-ports')?.values[0])
      case 'DNAT':
        return this.#divert(rule, options.get('--to-destination')?.values[0])
      default:
        throw new CannotTrace(rule, `leads to ${name}, which is no chain of these rules and no target known here`)
    }
  }

  #divert(rule: Rule, text = ''): string {
    const [, bracketed, bare, port] = /^(?:(?:\[([^\]]+)\]|([^:]+)):)?(\d+)$/.exec(text) ?? []
    this.listener = this.#written.listenerAt(Number(port))
    if (this.listener === undefined) throw new CannotTrace(rule, `leads to port ${port}, where none of ours listens`)
    this.#to = parseAddress(bracketed ?? bare) ?? this.#to
    this.#port = Number(port)
    return `redirect to the listener ${this.listener}`
  }
}
