import type { Given, Match, Rule } from 'iptables-parser'
import { CannotTrace, type Packet } from '#proxy/modes/trace.ts'
import { type Address, parseAddress } from '#values/address.ts'
import { contains, hostCidr, parseCidr } from '#values/cidr.ts'
import { bits, knownOptions } from './options.ts'

// A rule and a packet as it enters it → how likely the rule matches: 0, 1, or between where the rule is random.

/** The fields of a packet that a rule can match. */
export interface VisiblePacket {
  readonly packet: Packet
  readonly iface: string
  /** After DNAT, the new destination. */
  readonly to: Address
  readonly port: number
  readonly mark: number
  readonly dnat: boolean
  readonly isLocal: (ip: Address) => boolean
  /** When this client was last put on a `recent` list, if it was. */
  readonly lastOf: (list: string) => Packet['last']
}

export function chance(rule: Rule, visible: VisiblePacket, own: Matches): number {
  const { source, destination, inInterface, protocol } = rule
  if (rule.outInterface !== undefined)
    throw new CannotTrace(rule, 'asks for the outgoing interface, which only routing knows')
  if (rule.fragment !== undefined) throw new CannotTrace(rule, 'asks for fragments')
  const says = (given: Given | undefined, holds: (value: string) => boolean): boolean =>
    given === undefined || holds(given.value) !== given.negated
  if (!says(source, range => inRange(rule, range, visible.packet.from))) return 0
  if (!says(destination, range => inRange(rule, range, visible.to))) return 0
  if (!says(inInterface, name => isInterface(name, visible.iface))) return 0
  if (!says(protocol, name => name === visible.packet.protocol || name === 'all')) return 0
  let part = 1
  for (const match of rule.matches) {
    const known = own[match.name] ?? MATCHES[match.name]
    if (known === undefined) throw new CannotTrace(rule, `has a match "${match.name}", which is not known here`)
    part *= known({ rule, match, visible })
    if (part === 0) return 0
  }
  return part
}

function inRange(rule: Rule, text: string, ip: Address): boolean {
  const single = parseAddress(text)
  const range = single === undefined ? parseCidr(text) : hostCidr(single)
  if (range === undefined) throw new CannotTrace(rule, `names "${text}", which is not one address or range`)
  return contains(range, ip)
}

function isInterface(name: string, iface: string): boolean {
  return name.endsWith('+') ? iface.startsWith(name.slice(0, -1)) : iface === name
}

export interface MatchParts {
  readonly rule: Rule
  readonly match: Match
  readonly visible: VisiblePacket
}

/** By the name of the match: how likely it holds. */
export type Matches = Readonly<Record<string, (parts: MatchParts) => number>>

const MATCHES: Matches = {
  comment: () => 1,
  tcp: parts => portMatches('tcp', parts),
  udp: parts => portMatches('udp', parts),
  sctp: parts => portMatches('sctp', parts),
  addrtype: typesMatch,
  conntrack: parts => stateMatches('--ctstate', parts),
  state: parts => stateMatches('--state', parts),
  mark: markMatches,
  statistic: probabilityOf,
  recent: recentMatches,
  nfacct: () => 1,
}

function portMatches(protocol: string, { rule, match: { options }, visible }: MatchParts): number {
  knownOptions(rule, options, ['--dport'])
  if (visible.packet.protocol !== protocol) return 0
  const dport = options.get('--dport')
  if (dport === undefined) return 1
  const [first, last = first] = (dport.values[0] ?? '').split(':').map(Number)
  return odds((visible.port >= first! && visible.port <= last!) !== dport.negated)
}

function typesMatch({ rule, match: { options }, visible }: MatchParts): number {
  knownOptions(rule, options, ['--src-type', '--dst-type'])
  for (const { name, values, negated } of options) {
    if (values[0] !== 'LOCAL')
      throw new CannotTrace(rule, `asks for addresses of type ${values[0]}, only LOCAL is known here`)
    if (visible.isLocal(name === '--src-type' ? visible.packet.from : visible.to) === negated) return 0
  }
  return 1
}

/** A first packet is NEW; once its destination is rewritten it is DNAT as well. */
function stateMatches(option: string, { rule, match: { options }, visible }: MatchParts): number {
  knownOptions(rule, options, [option])
  const given = options.get(option)
  if (given === undefined) return 1
  const states = given.values[0]!.split(',')
  const holds = states.includes('NEW') || (visible.dnat && states.includes('DNAT'))
  return odds(holds !== given.negated)
}

function markMatches({ rule, match: { options }, visible }: MatchParts): number {
  knownOptions(rule, options, ['--mark'])
  const { value, mask } = bits(rule, options, '--mark')
  return odds(((visible.mark & mask) >>> 0 === value) !== (options.get('--mark')?.negated ?? false))
}

function probabilityOf({ rule, match: { options } }: MatchParts): number {
  knownOptions(rule, options, ['--mode', '--probability'])
  const probability = options.get('--probability')
  if (options.get('--mode')?.values[0] !== 'random' || probability === undefined)
    throw new CannotTrace(rule, 'has a statistic match that is not a probability')
  const part = Number(probability.values[0])
  return probability.negated ? 1 - part : part
}

/** `--set` always matches; `--rcheck` matches a client that was put on the list within the time. */
function recentMatches({ rule, match: { options }, visible }: MatchParts): number {
  knownOptions(rule, options, ['--set', '--rcheck', '--seconds', '--reap', '--name', '--mask', '--rsource'])
  if (options.has('--set')) return 1
  const last = visible.lastOf(options.get('--name')?.values[0] ?? 'DEFAULT')
  const seconds = options.get('--seconds')
  const seen = last !== undefined && (seconds === undefined || last.secondsAgo <= Number(seconds.values[0]))
  return odds(seen !== (options.get('--rcheck')?.negated ?? false))
}

export function odds(holds: boolean): number {
  return holds ? 1 : 0
}
