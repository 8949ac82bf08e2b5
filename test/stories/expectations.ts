import type { End, Packet } from '#proxy/modes/trace.ts'
import { type Address, FAMILIES, type Family, familyOf } from '#values/address.ts'
import type { Protocol } from '#values/protocol.ts'
import { ip } from '../support/objects.ts'
import { type Line, StoryError } from './lines.ts'
import { addressAt, endpointTextAt, frontendAt, oneOf, portOfProtocolAt, secondsAt, unknown, wordsOf } from './terms.ts'

// Lines under `expect` → what must hold after a step.

export type Expectation = { readonly line: Line } & (
  | { readonly about: 'packet'; readonly packet: StoryPacket; readonly ends: readonly End[] }
  | { readonly about: 'never'; readonly packet: StoryPacket; readonly endpoints: readonly string[] }
  /** A rule somewhere in the ruleset, or none; `*` in it is any text. */
  | {
      readonly about: 'rule'
      readonly pattern: RegExp
      readonly families: readonly Family[]
      readonly present: boolean
    }
  | { readonly about: 'forgets'; readonly flows: readonly string[] }
  | { readonly about: 'lost'; readonly lost: readonly string[] }
)

/** How stories write that every Service has its frontends. */
export const NONE_WAITS = 'none waits'
/** How stories write that a flow is forgotten whatever address has answered it. */
export const ANY_ADDRESS = 'any address'

/** The first packet of a connection, which can be traced, and sent. */
export interface StoryPacket {
  readonly source: 'pod' | 'node' | 'outside'
  readonly from: Address
  readonly via: Packet['via']
  readonly to: Address
  readonly port: number
  readonly protocol: Protocol
  readonly last?: NonNullable<Packet['last']>
}

export function expectationAt(line: Line): Expectation {
  const [first = ''] = wordsOf(line.text)
  if (first === 'rule' || line.text.startsWith('no rule ')) return ruleAt(line)
  if (first === 'forgets') return { line, about: 'forgets', flows: forgettingAt(line) }
  if (line.text === NONE_WAITS || line.text.includes(' waits for '))
    return { line, about: 'lost', lost: waitingAt(line) }
  return packetAt(line)
}

/** `rule nat -A KUBE-SERVICES * -j KUBE-SVC-*`, `no rule ipv4 nat *10.244.1.5*` */
function ruleAt(line: Line): Expectation {
  const [, no, family, text = ''] = /^(no )?rule (?:(ipv4|ipv6) )?(.+)$/.exec(line.text) ?? []
  if (!/^(?:nat|filter|mangle) /.test(text))
    throw unknown(line, text, 'a rule like: nat -A KUBE-SERVICES * -j KUBE-SVC-*')
  const pattern = new RegExp(`^${text.split('*').map(RegExp.escape).join('.*')}$`)
  const families = FAMILIES.filter(one => family === undefined || family === one)
  return { line, about: 'rule', pattern, families, present: no === undefined }
}

/** `pod 10.244.1.7, sent to 10.244.1.5:8080 10s ago -> 10.96.0.10:80 reaches 10.244.1.5:8080` */
function packetAt(line: Line): Expectation {
  const [, origin, destination, outcome] = /^(.+?) -> (\S+) (.+)$/.exec(line.text) ?? []
  if (origin === undefined || outcome === undefined)
    throw new StoryError(line, 'a packet reads: pod 10.244.1.7 -> 10.96.0.10:80 reaches 10.244.1.5:8080')
  const goal = frontendAt(line, destination)
  const packet = { ...originAt(line, origin, goal.to), ...goal }
  const [, never] = /^never reaches (.+)$/.exec(outcome) ?? []
  if (never === undefined) return { line, about: 'packet', packet, ends: endsAt(line, outcome) }
  return { line, about: 'never', packet, endpoints: never.split(' or ').map(text => endpointTextAt(line, text)) }
}

function originAt(line: Line, text: string, to: Address): Pick<StoryPacket, 'source' | 'from' | 'via' | 'last'> {
  const [who = '', ...history] = text.split(/,\s*/)
  const [source, address, ...more] = wordsOf(who)
  const kind = oneOf(line, source, ['pod', 'node', 'outside'])
  if (more.length > 0 || history.length > 1)
    throw unknown(line, text, 'a source: pod IP, node, node IP, outside or outside IP')
  const from = address === undefined ? usual(line, kind, to) : addressAt(line, address)
  if (familyOf(from) !== familyOf(to)) throw new StoryError(line, `${from} and ${to} are of two families`)
  const last = history[0] === undefined ? {} : { last: lastAt(line, history[0]) }
  return {
    source: kind,
    from,
    via: kind === 'node' ? { hook: 'output' } : { hook: 'prerouting', iface: ifaceOf(from) },
    ...last,
  }
}

const USUAL: Readonly<Record<'node' | 'outside', Readonly<Record<Family, Address>>>> = {
  node: { ipv4: ip('10.99.0.2'), ipv6: ip('fd00:99::2') },
  outside: { ipv4: ip('10.99.0.1'), ipv6: ip('fd00:99::1') },
}

/** Packets to a loopback address of the node come from loopback. */
function usual(line: Line, kind: StoryPacket['source'], to: Address): Address {
  if (kind === 'pod') throw new StoryError(line, 'which pod? write its address: pod 10.244.1.7')
  if (kind === 'node' && to.startsWith('127.')) return ip('127.0.0.1')
  return kind === 'node' && to === '::1' ? to : USUAL[kind][familyOf(to)]
}

/** Packets of this node's pods arrive on their bridge, all others on eth0. */
function ifaceOf(from: Address): string {
  return from.startsWith('10.244.1.') || from.startsWith('fd00:244:1:') ? 'cni0' : 'eth0'
}

function lastAt(line: Line, text: string): NonNullable<Packet['last']> {
  const [, endpoint, ago] = /^sent to (\S+) (\S+) ago$/.exec(text) ?? []
  if (endpoint === undefined) throw unknown(line, text, 'a memory like: sent to 10.244.1.5:8080 10s ago')
  return { endpoint: endpointTextAt(line, endpoint), secondsAgo: secondsAt(line, ago) }
}

/** In `reaches A or B masqueraded` only B is masqueraded, in `reaches A or B, masqueraded` both are. */
function endsAt(line: Line, outcome: string): readonly End[] {
  if (outcome === 'is rejected') return [{ to: 'rejected' }]
  if (outcome === 'is dropped') return [{ to: 'dropped' }]
  if (outcome === 'is untouched') return [{ to: 'untouched', masqueraded: false }]
  const [, targets, all] = /^reaches (.+?)(, masqueraded)?$/.exec(outcome) ?? []
  if (targets === undefined)
    throw unknown(line, outcome, 'an end: reaches IP:PORT, is rejected, is dropped, is untouched')
  return targets.split(' or ').map((target): End => {
    const [text, masqueraded, ...more] = wordsOf(target)
    if (more.length > 0 || (masqueraded !== undefined && masqueraded !== 'masqueraded'))
      throw unknown(line, target, 'an endpoint, masqueraded or not')
    return {
      to: 'endpoint',
      endpoint: endpointTextAt(line, text),
      masqueraded: all !== undefined || masqueraded !== undefined,
    }
  })
}

/**
 * `forgets udp to 10.96.0.10:53 unless answered by A or B; udp to node port 30053 answered by A`, or `forgets nothing`.
 * Of TCP these are only connections to which no endpoint has answered yet.
 */
function forgettingAt(line: Line): readonly string[] {
  const text = line.text.replace(/^forgets\s+/, '')
  if (text === 'nothing') return []
  return text.split(/;\s*/).map(part => {
    const [, protocol, destination, sense, answers] = FORGETTING.exec(part) ?? []
    if (destination === undefined)
      throw unknown(line, part, 'connections like: udp to 10.96.0.10:53 unless answered by 10.244.1.5:5353')
    const isNodePort = destination.startsWith('node port ')
    const { port } = isNodePort ? portOfProtocolAt(line, destination.slice(10)) : frontendAt(line, destination)
    const frontend = isNodePort ? `node port ${port}` : destination
    const by = answers === ANY_ADDRESS ? [] : answers!.split(' or ').map(word => endpointTextAt(line, word))
    return `${protocol} to ${frontend} ${sense} ${by.length === 0 ? ANY_ADDRESS : by.sort().join(' or ')}`
  })
}

const FORGETTING = /^(tcp|udp|sctp) to (\S+|node port \d+) (answered by|unless answered by) (.+)$/

/** `shop/b:http waits for tcp 198.18.0.1 80, which shop/a:http has`, several separated by `;`, or NONE_WAITS. */
function waitingAt(line: Line): readonly string[] {
  if (line.text === NONE_WAITS) return []
  return line.text.split(/;\s*/).map(part => {
    if (/^\S+ waits for [a-z]+ [^,]+, which \S+ has$/.test(part)) return part
    throw unknown(line, part, 'a Service that waits: shop/b:http waits for tcp 198.18.0.1 80, which shop/a:http has')
  })
}
