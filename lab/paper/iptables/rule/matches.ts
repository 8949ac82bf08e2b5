import { notUnderstood, Refused, usage } from '#lab/paper/iptables/refused.ts'
import { quoted } from '#lab/paper/iptables/words.ts'
import type { Demands, Extension, Givens, Option, ProtocolWord, RuleContext } from './extension.ts'
import { recent, statistic } from './matches-with-modes.ts'
import { hex, interfaceName, listOf, mark, ports } from './values.ts'

// The matches this kernel knows, as iptables-save prints them.

/** The real tool cuts longer ones short without a message: the rule that is read back is not the one that was written. */
const LONGEST_COMMENT = 255

const comment: Extension = {
  name: 'comment',
  options: [{ flag: '--comment', value: commentText }],
  finish: given => required(given, 'comment', '--comment'),
}

function commentText(text: string): string {
  if (new TextEncoder().encode(text).length > LONGEST_COMMENT) throw notUnderstood('a comment of more than 255 bytes')
  return quoted(text)
}

function portMatch(protocol: 'tcp' | 'udp' | 'sctp'): Extension {
  return {
    name: protocol,
    options: [
      { flag: '--sport', aliases: ['--source-port'], value: ports, invertible: true },
      { flag: '--dport', aliases: ['--destination-port'], value: ports, invertible: true },
    ],
    demands: (_, { variant }, word) => portDemands(protocol, variant, word),
  }
}

/** iptables-nft itself checks two of the three; the kernel checks all else. */
function portDemands(protocol: string, variant: RuleContext['variant'], word: ProtocolWord | undefined): Demands {
  if (word?.name === protocol && word.inverted) throw notUnderstood(`! -p ${protocol} with -m ${protocol}`)
  if (word?.name === protocol) return {}
  if (variant === 'nft' && protocol !== 'sctp') throw usage(`${protocol.toUpperCase()} match requires '-p ${protocol}'`)
  return { refused: 'Invalid argument' }
}

const CT_STATES = ['INVALID', 'NEW', 'RELATED', 'ESTABLISHED', 'UNTRACKED', 'SNAT', 'DNAT']

const conntrack: Extension = {
  name: 'conntrack',
  options: [
    { flag: '--ctstate', value: text => listOf(text, CT_STATES, word => `Bad ctstate "${word}"`), invertible: true },
  ],
  finish: given => {
    if (given.size === 0) throw usage('conntrack: At least one option is required')
  },
}

const state: Extension = {
  name: 'state',
  options: [
    {
      flag: '--state',
      value: text => listOf(text, CT_STATES.slice(0, 5), word => `Bad state "${word}"`),
      invertible: true,
    },
  ],
  finish: given => required(given, 'state', '--state'),
}

const markMatch: Extension = {
  name: 'mark',
  options: [{ flag: '--mark', value: markText, invertible: true }],
  finish: given => required(given, 'mark', '--mark'),
}

function markText(text: string): string {
  const { value, mask } = mark(text, 'mark: bad integer value for option "--mark", or out of range.')
  return mask === 0xffffffff ? hex(value) : `${hex(value)}/${hex(mask)}`
}

const ADDRESS_TYPES = ['UNSPEC', 'UNICAST', 'LOCAL', 'BROADCAST', 'ANYCAST', 'MULTICAST', 'BLACKHOLE', 'UNREACHABLE']

function addressType(flag: string): Option {
  const value = (text: string) => listOf(text, ADDRESS_TYPES, word => `addrtype: bad type "${word}"`)
  return { flag, value, invertible: true }
}

const addrtype: Extension = {
  name: 'addrtype',
  options: [addressType('--src-type'), addressType('--dst-type')],
  finish: given => {
    if (given.size === 0) throw usage('addrtype: you must specify --src-type or --dst-type')
  },
}

const physdev: Extension = {
  name: 'physdev',
  options: [
    { flag: '--physdev-in', value: interfaceName, invertible: true },
    { flag: '--physdev-is-in', invertible: true },
  ],
  finish: given => {
    if (given.size === 0) throw usage('PHYSDEV: no physdev option specified')
  },
}

const set: Extension = {
  name: 'set',
  options: [{ flag: '--match-set', value: setAndDirections, words: 2, invertible: true }],
  finish: given => {
    if (given.size === 0) throw usage("You must specify `--match-set' with proper arguments")
  },
}

function setAndDirections(text: string, { machine, family }: RuleContext): string {
  const [name = '', directions = ''] = text.split(' ')
  const found = machine.sets.get(name)
  if (found === undefined) throw usage(`Set ${name} doesn't exist.\n`)
  if (found.family !== family && found.family !== 'any')
    throw usage(`The protocol family of set ${name} is not applicable.\n`)
  if (!/^(src|dst)(,(src|dst)){0,5}$/.test(directions)) throw usage('Parse error: expected "src" or "dst"')
  return `${name} ${directions}`
}

const nfacct: Extension = {
  name: 'nfacct',
  // iptables-save 1.8.9 prints two spaces here.
  options: [{ flag: '--nfacct-name', value: text => text, gap: '  ' }],
  finish: given => required(given, 'nfacct', '--nfacct-name'),
  demands: (given, { machine }) =>
    machine.accounts.has(given.get('--nfacct-name')?.text ?? '') ? {} : { refused: 'No such file or directory' },
}

export function required(given: Givens, extension: string, flag: string): void {
  if (!given.has(flag)) throw usage(`${extension}: option "${flag}" must be specified`)
}

const ALL = [
  ...[comment, portMatch('tcp'), portMatch('udp'), portMatch('sctp'), conntrack, state, markMatch, addrtype],
  ...[statistic, recent, physdev, set, nfacct],
]

const BY_NAME: ReadonlyMap<string, Extension> = new Map(ALL.map(match => [match.name, match]))

const KNOWN_ELSEWHERE =
  /^(ah|bpf|cgroup|cluster|connbytes|connlabel|connlimit|connmark|cpu|dccp|devgroup|dscp|ecn|esp|hashlimit|helper|icmp|icmp6|iprange|ipvs|length|limit|mac|multiport|osf|owner|pkttype|policy|quota|rateest|realm|rpfilter|socket|string|tcpmss|time|tos|ttl|u32)$/

export function matchNamed(name: string): Extension {
  const found = BY_NAME.get(name)
  if (found !== undefined) return found
  if (KNOWN_ELSEWHERE.test(name)) throw notUnderstood(`-m ${name}`)
  throw new Refused('usage', `Couldn't load match \`${name}':No such file or directory\n`)
}
