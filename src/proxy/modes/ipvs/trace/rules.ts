import { type Match, type Options, parseRule, type Rule } from 'iptables-parser'
import { JUMP_UNITS } from '#proxy/modes/ipvs/base.ts'
import { chainUnit, type IpvsTable, unitParts } from '#proxy/modes/ipvs/names.ts'
import type { Ruleset, Unit } from '#proxy/modes/mode.ts'
import { CannotTrace, type Packet } from '#proxy/modes/trace.ts'
import { type Address, parseAddress } from '#values/address.ts'
import { contains, hostCidr, parseCidr } from '#values/cidr.ts'
import type { Sets } from './sets.ts'
import { only } from './understood.ts'

// The rules of each chain in the order in which the kernel asks them, and whether one matches a packet.

export class Rules {
  readonly #ruleset: Ruleset
  /** Jumps, by the chain they stand in; the last that was put in front stands first. */
  readonly #jumps: ReadonlyMap<Unit, readonly string[]>
  readonly #read = new Map<Unit, readonly Rule[]>()

  constructor(ruleset: Ruleset) {
    this.#ruleset = ruleset
    const jumps = new Map<Unit, string[]>()
    for (const unit of JUMP_UNITS.toReversed()) {
      const parts = unitParts(unit)
      if (parts.kind !== 'line' || !ruleset.has(unit)) continue
      const home = chainUnit(parts.table, parts.line.split(' ', 1)[0]!)
      jumps.set(home, [...(jumps.get(home) ?? []), `-A ${parts.line}`])
    }
    this.#jumps = jumps
  }

  /** Undefined where there is no such chain. */
  of(table: IpvsTable, chain: string): readonly Rule[] | undefined {
    const unit = chainUnit(table, chain)
    const lines = this.#jumps.get(unit) ?? this.#ruleset.get(unit)?.split('\n')
    const known = this.#read.get(unit)
    if (known !== undefined || lines === undefined) return known
    const rules = lines.filter(line => line !== '').map(parseRule)
    this.#read.set(unit, rules)
    return rules
  }
}

/** The properties of a packet that rules match. */
export interface PacketInIpvs {
  readonly packet: Packet
  /** Empty where the packet came in through no interface. */
  readonly iface: string
  /** Behind IPVS, the endpoint's. */
  readonly to: Address
  readonly port: number
  readonly mark: number
  readonly sets: Sets
  readonly isLocal: (ip: Address) => boolean
}

export function matches(rule: Rule, sight: PacketInIpvs): boolean {
  const { source, destination, inInterface, outInterface, fragment, protocol } = rule
  if (destination !== undefined || outInterface !== undefined || fragment !== undefined)
    throw new CannotTrace(rule, 'asks for what no rule of ours asks for')
  const { packet, iface } = sight
  const holds = (given: typeof source, value: (text: string) => boolean): boolean =>
    given === undefined || value(given.value) !== given.negated
  return (
    holds(source, range => inRange(range, packet.from)) &&
    holds(inInterface, name => isInterface(name, iface)) &&
    holds(protocol, name => name === packet.protocol) &&
    rule.matches.every(match => isMet(rule, match, sight))
  )
}

function isMet(rule: Rule, match: Match, sight: PacketInIpvs): boolean {
  const { packet, to, port, mark, sets, isLocal } = sight
  switch (match.name) {
    case 'comment':
      return true
    case 'set':
      return sets.holds(rule, match, { protocol: packet.protocol, from: packet.from, to, port })
    case 'addrtype':
      return met(rule, match.options, '--src-type', type => type === 'LOCAL' && isLocal(packet.from))
    case 'conntrack':
      // A first packet is always NEW.
      return met(rule, match.options, '--ctstate', states => states.split(',').includes('NEW'))
    case 'mark':
      return met(rule, match.options, '--mark', text => {
        const [value = 0, bits = 0xffffffff] = text.split('/').map(Number)
        return (mark & bits) >>> 0 === value
      })
    default:
      throw new CannotTrace(rule, `has a match "${match.name}", which is not known here`)
  }
}

function met(rule: Rule, options: Options, name: string, holds: (value: string) => boolean): boolean {
  const { value, negated } = only(rule, options, name)
  return holds(value) !== negated
}

function inRange(text: string, ip: Address): boolean {
  const single = parseAddress(text)
  const range = single === undefined ? parseCidr(text) : hostCidr(single)
  return range !== undefined && contains(range, ip)
}

function isInterface(name: string, iface: string): boolean {
  return name.endsWith('+') ? iface.startsWith(name.slice(0, -1)) : iface === name
}
