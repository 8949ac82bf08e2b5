import type { Ruleset } from '#proxy/modes/mode.ts'
import { AFFINITY, chainUnit, elementUnit } from '#proxy/modes/nftables/names.ts'
import type { Hop, Packet } from '#proxy/modes/trace.ts'
import { type Address, parseAddress } from '#values/address.ts'
import { contains, parseCidr } from '#values/cidr.ts'
import type { Fields } from './parse.ts'

// What a rule asks about a packet → the answers; more than one where the rule draws a number.

/** A packet on its way, and the way so far. */
export interface Traveller {
  readonly packet: Packet
  readonly share: number
  readonly hops: readonly Hop[]
  /** Where it is going now: not where it knocked, once it has been translated. */
  readonly to: Address
  readonly port: number
  readonly state: ReadonlySet<'marked' | 'translated' | 'masqueraded'>
}

/** Whether the kernel would call an address LOCAL on this node. */
export function isLocal(ip: Address, { nodeAddresses }: Packet): boolean {
  return ip.startsWith('127.') || ip === '::1' || nodeAddresses.includes(ip)
}

/** All keys that may come of these fields, each as likely as the others; none for a port of another protocol. */
export function keysOf(fields: Fields, traveller: Traveller): readonly string[] {
  const parts = fields.map(field => answers(field, traveller))
  return parts
    .reduce((keys, part) => keys.flatMap(key => part.map(answer => [...key, answer])), [[]] as string[][])
    .map(key => key.join(' . '))
}

function answers(field: string, traveller: Traveller): readonly string[] {
  const [, protocol] = /^(tcp|udp|sctp) dport$/.exec(field) ?? []
  if (protocol !== undefined) return protocol === traveller.packet.protocol ? [String(traveller.port)] : []
  const [, drawn] = /^numgen random mod (\d+)$/.exec(field) ?? []
  return drawn === undefined ? [answer(field, traveller)] : Array.from({ length: Number(drawn) }, (_, i) => String(i))
}

function answer(field: string, traveller: Traveller): string {
  const { packet, to, port, state } = traveller
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
      return isLocal(to, packet) ? 'local' : 'unicast'
    case 'fib saddr type':
      return isLocal(packet.from, packet) ? 'local' : 'unicast'
    case 'ct status':
      return state.has('translated') ? 'dnat' : 'none'
    default:
      // Only the first packet of a connection is traced.
      return 'new'
  }
}

/** Whether a key is what the rule names: a value, a range, the start of a name, a set that has it. */
export function isNamed(rules: Ruleset, key: string, value: string, { packet }: Traveller): boolean {
  if (value.startsWith(`@${AFFINITY}`)) return cameBack(rules, value.slice(AFFINITY.length + 1), packet)
  if (value.startsWith('@')) return rules.has(elementUnit(value.slice(1), key))
  if (value.startsWith('"'))
    return value.endsWith('*"') ? key.startsWith(value.slice(1, -2)) : key === value.slice(1, -1)
  const cidr = parseCidr(value)
  const address = parseAddress(key)
  return cidr !== undefined && address !== undefined ? contains(cidr, address) : key === value
}

/** The rules do not say who is in an affinity set; they say how long somebody stays there, and where that leads. */
function cameBack(rules: Ruleset, name: string, { last }: Packet): boolean {
  const text = rules.get(chainUnit(`endpoint-${name}`)) ?? ''
  const seconds = Number(/ timeout (\d+)s /.exec(text)?.[1])
  return last !== undefined && last.secondsAgo <= seconds && / dnat to (\S+)$/m.exec(text)?.[1] === last.endpoint
}
