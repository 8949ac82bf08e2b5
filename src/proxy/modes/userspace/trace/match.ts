import type { Match, Options, Rule } from 'iptables-parser'
import { CannotTrace, type Packet } from '#proxy/modes/trace.ts'
import { type Address, parseAddress } from '#values/address.ts'
import { contains, hostCidr, parseCidr } from '#values/cidr.ts'

// A rule of ours and a packet as it enters it → whether the rule matches.

/** The fields of a packet that a rule can match. */
export interface PacketInChain {
  readonly packet: Packet
  readonly iface: string
  /** Its destination by now: after DNAT or REDIRECT, the new one. */
  readonly to: Address
  readonly port: number
}

export function isLocal(ip: Address, { nodeAddresses }: Packet): boolean {
  return ip === '::1' || ip.startsWith('127.') || nodeAddresses.includes(ip)
}

export function matches(rule: Rule, seen: PacketInChain): boolean {
  const { source, destination, inInterface, protocol } = rule
  const { packet, to, iface } = seen
  if ([source, destination, inInterface, protocol].some(given => given?.negated))
    throw new CannotTrace(rule, 'says what must not be, which no rule of ours does')
  if (source !== undefined && !inRange(source.value, packet.from)) return false
  if (destination !== undefined && !inRange(destination.value, to)) return false
  if (inInterface !== undefined && !isInterface(inInterface.value, iface)) return false
  if (protocol !== undefined && protocol.value !== packet.protocol) return false
  return rule.matches.every(match => holds(rule, match, seen))
}

function holds(rule: Rule, { name, options }: Match, { packet, to, port }: PacketInChain): boolean {
  switch (name) {
    case 'comment':
      return true
    case 'tcp':
    case 'udp':
    case 'sctp':
      return only(rule, options, ['--dport']).every(value => Number(value) === port)
    case 'addrtype':
      only(rule, options, ['--src-type', '--dst-type'])
      return (
        (!options.has('--src-type') || isLocal(packet.from, packet)) &&
        (!options.has('--dst-type') || isLocal(to, packet))
      )
    case 'conntrack':
      // A first packet is always NEW.
      return only(rule, options, ['--ctstate']).every(states => states.split(',').includes('NEW'))
    case 'state':
      return only(rule, options, ['--state']).every(states => states.split(',').includes('NEW'))
    default:
      throw new CannotTrace(rule, `has a match "${name}", which is not known here`)
  }
}

/** The values of the options; an option that is not in `names` ends the trace. */
function only(rule: Rule, options: Options, names: readonly string[]): readonly string[] {
  return [...options].map(({ name, values, negated }) => {
    if (!names.includes(name) || negated || values.length !== 1)
      throw new CannotTrace(rule, `says "${name}" in a way that is not known here`)
    return values[0]!
  })
}

function inRange(text: string, ip: Address): boolean {
  const single = parseAddress(text)
  const range = single === undefined ? parseCidr(text) : hostCidr(single)
  return range !== undefined && contains(range, ip)
}

function isInterface(name: string, iface: string): boolean {
  return name.endsWith('+') ? iface.startsWith(name.slice(0, -1)) : iface === name
}
