import type { Hook } from '#lab/paper/iptables/builtin.ts'
import { notUnderstood, usage } from '#lab/paper/iptables/refused.ts'
import type { Demands, Extension, Given, Givens, Option, ProtocolWord, RuleContext } from './extension.ts'
import { hex, mark, natAddress, natHasPort, natPorts, uint32 } from './values.ts'

// The targets this kernel knows, as iptables-save prints them.

const RANDOM: Option = { flag: '--random' }
const RANDOM_FULLY: Option = { flag: '--random-fully' }
const PERSISTENT: Option = { flag: '--persistent' }

const accept: Extension = { name: 'ACCEPT', options: [] }
const returning: Extension = { name: 'RETURN', options: [] }
const drop: Extension = {
  name: 'DROP',
  options: [],
  finish: (_, { table }) => {
    if (table === 'nat') throw usage(NO_FILTERING_IN_NAT)
  },
}

export const NO_FILTERING_IN_NAT =
  '\nThe "nat" table is not intended for filtering, the use of DROP is therefore inhibited.\n\n'

const REJECT_WORDS: Readonly<Record<RuleContext['family'], readonly string[]>> = {
  ipv4: [
    ...['icmp-net-unreachable', 'icmp-host-unreachable', 'icmp-proto-unreachable', 'icmp-port-unreachable'],
    ...['icmp-net-prohibited', 'icmp-host-prohibited', 'icmp-admin-prohibited', 'tcp-reset'],
  ],
  ipv6: [
    ...['icmp6-no-route', 'icmp6-adm-prohibited', 'icmp6-addr-unreachable', 'icmp6-port-unreachable'],
    ...['icmp6-policy-fail', 'icmp6-reject-route', 'tcp-reset'],
  ],
}

const REJECT_ALIASES: Readonly<Record<RuleContext['family'], Readonly<Record<string, string>>>> = {
  ipv4: {
    ...{ 'net-unreach': 'icmp-net-unreachable', 'host-unreach': 'icmp-host-unreachable' },
    ...{ 'proto-unreach': 'icmp-proto-unreachable', 'port-unreach': 'icmp-port-unreachable' },
    ...{ 'net-prohib': 'icmp-net-prohibited', 'host-prohib': 'icmp-host-prohibited' },
    ...{ 'admin-prohib': 'icmp-admin-prohibited', 'tcp-rst': 'tcp-reset' },
  },
  ipv6: {
    ...{ 'no-route': 'icmp6-no-route', 'adm-prohibited': 'icmp6-adm-prohibited' },
    ...{ 'addr-unreach': 'icmp6-addr-unreachable', 'port-unreach': 'icmp6-port-unreachable' },
    ...{ 'policy-fail': 'icmp6-policy-fail', 'reject-route': 'icmp6-reject-route' },
  },
}

const reject: Extension = {
  name: 'REJECT',
  options: [{ flag: '--reject-with', value: rejectWord }],
  finish: (given, { family }) => {
    const port = family === 'ipv4' ? 'icmp-port-unreachable' : 'icmp6-port-unreachable'
    if (!given.has('--reject-with')) given.set('--reject-with', { text: port, inverted: false })
  },
  demands: (given, _, protocol) => ({
    table: 'filter',
    hooks: ['INPUT', 'FORWARD', 'OUTPUT'],
    ...(given.get('--reject-with')?.text === 'tcp-reset' && !isPlain(protocol, ['tcp']) ? INVALID : {}),
  }),
}

const INVALID: Demands = { refused: 'Invalid argument' }

function rejectWord(text: string, { family }: RuleContext): string {
  const word = REJECT_ALIASES[family][text] ?? text
  if (!REJECT_WORDS[family].includes(word)) throw usage(`unknown reject type "${text}"`)
  return word
}

function isPlain(word: ProtocolWord | undefined, names: readonly string[]): boolean {
  return word !== undefined && !word.inverted && names.includes(word.name)
}

const DESTINATION_HOOKS: readonly Hook[] = ['PREROUTING', 'OUTPUT']

const dnat: Extension = {
  name: 'DNAT',
  options: [{ flag: '--to-destination', value: natAddress }, RANDOM, PERSISTENT],
  finish: (given, { family }, protocol) =>
    finishAddress(given.get('--to-destination'), { family, protocol, target: 'DNAT' }),
  demands: () => ({ table: 'nat', hooks: DESTINATION_HOOKS }),
}

const snat: Extension = {
  name: 'SNAT',
  options: [{ flag: '--to-source', value: natAddress }, RANDOM, RANDOM_FULLY, PERSISTENT],
  finish: (given, { family }, protocol) =>
    finishAddress(given.get('--to-source'), { family, protocol, target: 'SNAT' }),
  demands: () => ({ table: 'nat', hooks: ['POSTROUTING', 'INPUT'] }),
}

interface Translation {
  readonly family: RuleContext['family']
  readonly protocol: ProtocolWord | undefined
  readonly target: 'DNAT' | 'SNAT'
}

function finishAddress(given: Given | undefined, { family, protocol, target }: Translation): void {
  const flag = target === 'DNAT' ? '--to-destination' : '--to-source'
  if (given?.text === undefined) throw usage(`${target}: option "${flag}" must be specified`)
  if (natHasPort(given.text, family)) needPorts(protocol)
}

function needPorts(protocol: ProtocolWord | undefined): void {
  if (protocol === undefined) throw usage('Need TCP, UDP, SCTP or DCCP with port specification')
  if (!isPlain(protocol, ['tcp', 'udp', 'sctp'])) throw notUnderstood('a port together with a protocol that has none')
}

const redirect: Extension = {
  name: 'REDIRECT',
  options: [{ flag: '--to-ports', value: natPorts }, RANDOM],
  finish: (given, _, protocol) => {
    if (given.has('--to-ports')) needPorts(protocol)
  },
  demands: () => ({ table: 'nat', hooks: DESTINATION_HOOKS }),
}

const masquerade: Extension = {
  name: 'MASQUERADE',
  options: [{ flag: '--to-ports', value: natPorts }, RANDOM, RANDOM_FULLY],
  finish: (given, _, protocol) => {
    if (given.has('--to-ports')) needPorts(protocol)
  },
  demands: () => ({ table: 'nat', hooks: ['POSTROUTING'] }),
}

const ALL_BITS = 0xffffffff

/** Each way of setting a mark → the one way in which it is printed. */
const MARKINGS: Readonly<Record<string, (text: string, complaint: string) => readonly [number, number]>> = {
  '--set-xmark': (text, complaint) => {
    const { value, mask } = mark(text, complaint)
    return [value, mask]
  },
  '--set-mark': (text, complaint) => {
    const { value, mask } = mark(text, complaint)
    return [value, value | mask]
  },
  '--and-mark': (text, complaint) => [0, ~uint32(text, complaint)],
  '--or-mark': (text, complaint) => [uint32(text, complaint), uint32(text, complaint)],
  '--xor-mark': (text, complaint) => [uint32(text, complaint), 0],
}

const marking: Extension = {
  name: 'MARK',
  options: Object.entries(MARKINGS).map(([flag, meaning]) => ({
    flag,
    value: text => {
      const [value, mask] = meaning(text, `MARK: bad integer value for option "${flag}", or out of range.`)
      return `${hex(value)}/${hex(mask & ALL_BITS)}`
    },
  })),
  finish: finishMarking,
}

function finishMarking(given: Givens): void {
  const [way, other] = given.keys()
  if (way === undefined) throw usage('MARK: One of the --set-xmark, --{and,or,xor,set}-mark options is required')
  if (other !== undefined) throw usage(`MARK: option "${way}" cannot be used together with "${other}".`)
  const value = given.get(way)!
  given.clear()
  given.set('--set-xmark', value)
}

const ALL = [accept, drop, returning, reject, dnat, snat, redirect, masquerade, marking]
const BY_NAME: ReadonlyMap<string, Extension> = new Map(ALL.map(target => [target.name, target]))

const KNOWN_ELSEWHERE =
  /^(AUDIT|CHECKSUM|CLASSIFY|CLUSTERIP|CONNMARK|CONNSECMARK|CT|DNPT|DSCP|ECN|HL|HMARK|IDLETIMER|LED|LOG|NETMAP|NFLOG|NFQUEUE|NOTRACK|QUEUE|RATEEST|SECMARK|SET|SNPT|SYNPROXY|TCPMSS|TCPOPTSTRIP|TEE|TOS|TPROXY|TRACE|TTL|ULOG)$/

/** Undefined: not a target, so it must be a chain. */
export function targetNamed(name: string): Extension | undefined {
  if (KNOWN_ELSEWHERE.test(name)) throw notUnderstood(`-j ${name}`)
  return BY_NAME.get(name)
}

export function isTargetName(name: string): boolean {
  return BY_NAME.has(name) || KNOWN_ELSEWHERE.test(name)
}
