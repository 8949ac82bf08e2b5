import type { Ruleset } from '#proxy/modes/mode.ts'
import { chainUnit, elementUnit, endpointChainOf } from '#proxy/modes/nftables/names.ts'
import { type Hop, isOwn, type Packet } from '#proxy/modes/trace.ts'
import { type Address, parseAddress } from '#values/address.ts'
import { contains, parseCidr } from '#values/cidr.ts'
import type { PacketFields } from './parse.ts'

// The fields of a packet that a rule names → their values; more than one where the rule draws a number.

/** A packet on its way, with the hops so far. */
export interface NftPacket {
  readonly packet: Packet
  readonly share: number
  readonly hops: readonly Hop[]
  /** Its destination now: after DNAT, the endpoint. */
  readonly to: Address
  readonly port: number
  readonly state: ReadonlySet<'marked' | 'translated' | 'masqueraded'>
}

/** All keys that these fields may form, each as likely as the others; none for a port of another protocol. */
export function keysOf(fields: PacketFields, traced: NftPacket): readonly string[] {
  const parts = fields.map(field => answers(field, traced))
  return parts
    .reduce((keys, part) => keys.flatMap(key => part.map(answer => [...key, answer])), [[]] as string[][])
    .map(key => key.join(' . '))
}

function answers(field: string, traced: NftPacket): readonly string[] {
  const [, protocol] = /^(tcp|udp|sctp) dport$/.exec(field) ?? []
  if (protocol !== undefined) return protocol === traced.packet.protocol ? [String(traced.port)] : []
  const [, drawn] = /^numgen random mod (\d+)$/.exec(field) ?? []
  return drawn === undefined ? [answer(field, traced)] : Array.from({ length: Number(drawn) }, (_, i) => String(i))
}

function answer(field: string, traced: NftPacket): string {
  const { packet, to, port, state } = traced
  if (field.startsWith('meta mark &')) return state.has('marked') ? '1' : '0'
  switch (field) {
    case 'ip saddr':
    case 'ip6 saddr':
      return packet.from
    case 'ip daddr':
    case 'ip6 daddr':
      return to
    case 'meta l4proto':
      return packet.protocol
    case 'th dport':
      return String(port)
    case 'iifname':
      return packet.via.hook === 'prerouting' ? packet.via.iface : ''
    case 'fib daddr type':
      return isOwn(to, packet) ? 'local' : 'unicast'
    case 'fib saddr type':
      return isOwn(packet.from, packet) ? 'local' : 'unicast'
    case 'ct status':
      return state.has('translated') ? 'dnat' : 'none'
    default:
      // Only the first packet of a connection is traced.
      return 'new'
  }
}

/** Whether a key is what the rule names: a value, a range, the start of a name, a set that has it. */
export function isNamed(rules: Ruleset, key: string, value: string, { packet }: NftPacket): boolean {
  if (value.startsWith('@')) return isIn(rules, value.slice(1), key, packet)
  if (value.startsWith('"'))
    return value.endsWith('*"') ? key.startsWith(value.slice(1, -2)) : key === value.slice(1, -1)
  const cidr = parseCidr(value)
  const address = parseAddress(key)
  return cidr !== undefined && address !== undefined ? contains(cidr, address) : key === value
}

function isIn(rules: Ruleset, set: string, key: string, packet: Packet): boolean {
  const endpoint = endpointChainOf(set)
  return endpoint === undefined ? rules.has(elementUnit(set, key)) : cameBack(rules, endpoint, packet)
}

/** Affinity sets are not in the ruleset. Its rules say how long a client stays in one, and to which endpoint it leads. */
function cameBack(rules: Ruleset, endpoint: string, { last }: Packet): boolean {
  const text = rules.get(chainUnit(endpoint)) ?? ''
  const seconds = Number(/ timeout (\d+)s /.exec(text)?.[1])
  return last !== undefined && last.secondsAgo <= seconds && / dnat to (\S+)$/m.exec(text)?.[1] === last.endpoint
}
