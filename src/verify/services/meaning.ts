import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Frontend, ServiceTraffic } from '#proxy/desired/traffic.ts'
import type { Mode, Ruleset } from '#proxy/modes/mode.ts'
import type { Packet, Path } from '#proxy/modes/trace.ts'
import {
  type Address,
  addressFromNumber,
  addressNumber,
  familyOf,
  hostPort,
  isLoopback,
  parseAddress,
} from '#values/address.ts'
import { baseAddress, cidrFamily } from '#values/cidr.ts'

// A difference of rules → what it does to connections: the same packets are followed through the rules that are there and through
// those that should be.

export interface MeaningParts {
  readonly mode: Pick<Mode, 'trace'>
  readonly installed: Ruleset
  readonly wanted: Ruleset
  readonly view: NodeView
  readonly nodeAddresses: readonly Address[]
}

/** What is done to connections to this Service port; empty where all of them go where they should. */
export function meaningFor(traffic: ServiceTraffic, parts: MeaningParts): readonly string[] {
  const found = traffic.frontends.flatMap(frontend => changesAt(traffic, frontend, parts))
  return [...new Set(found)]
}

function changesAt(traffic: ServiceTraffic, frontend: Frontend, parts: MeaningParts): readonly string[] {
  const to =
    frontend.ip ?? parts.nodeAddresses.find(address => familyOf(address) === parts.view.family && !isLoopback(address))
  if (to === undefined) return []
  const clients = clientsOf(traffic, parts, to, frontend)
  const changes = clients.flatMap(({ who, packet }) => {
    const whole = { ...packet, protocol: traffic.protocol, to, port: frontend.port, nodeAddresses: parts.nodeAddresses }
    const change = changeOf(whole, parts)
    return change === undefined ? [] : [{ who, change }]
  })
  const what = `connections to ${traffic.id} at ${hostPort(to, frontend.port)}/${traffic.protocol}`
  return [...Map.groupBy(changes, ({ change }) => change)].map(
    ([change, from]) => `${what} from ${listed(from.map(({ who }) => who))} ${change}`,
  )
}

interface Client {
  readonly who: string
  readonly packet: Pick<Packet, 'from' | 'via'>
}

/** One of each kind that rules treat otherwise. */
function clientsOf(
  { pools }: ServiceTraffic,
  { view, nodeAddresses }: MeaningParts,
  to: Address,
  { sourceRanges = [] }: Frontend,
): readonly Client[] {
  const { family, localPods } = view
  const node = nodeAddresses.find(address => familyOf(address) === family && !isLoopback(address)) ?? to
  const range = localPods?.by === 'cidr' && cidrFamily(localPods.cidr) === family ? localPods.cidr : undefined
  const pod = range === undefined ? SOME_POD[family] : inside(range)
  const iface =
    localPods?.by === 'interface'
      ? localPods.name
      : localPods?.by === 'interface-prefix'
        ? `${localPods.prefix}0`
        : 'cni0'
  const [allowed] = sourceRanges
  const outside = allowed === undefined ? SOMEWHERE[family] : inside(allowed)
  return [
    { who: 'pods', packet: { from: pod, via: { hook: 'prerouting', iface } } },
    { who: 'outside', packet: { from: outside, via: { hook: 'prerouting', iface: 'eth0' } } },
    { who: 'this node', packet: { from: node, via: { hook: 'output' } } },
    // Its answer must come back the way it went, or it is refused.
    ...pools.cluster
      .slice(0, 1)
      .map(
        ({ ip }): Client => ({ who: 'its own endpoints', packet: { from: ip, via: { hook: 'prerouting', iface } } }),
      ),
  ]
}

/** None of the network's own: the fifth of it. */
function inside(range: Parameters<typeof baseAddress>[0]): Address {
  const base = baseAddress(range)
  const last = range.endsWith('/32') || range.endsWith('/128')
  return last ? base : addressFromNumber(familyOf(base), addressNumber(base) + 5n)
}

const SOME_POD = { ipv4: parseAddress('10.244.255.5')!, ipv6: parseAddress('fd00:244:ffff::5')! } as const
/** Of documentation: no cluster has it. */
const SOMEWHERE = { ipv4: parseAddress('203.0.113.9')!, ipv6: parseAddress('2001:db8::9')! } as const

export const CANNOT = 'cannot be followed'

/** Undefined where it goes where it should. */
export function changeOf(packet: Packet, { mode, installed, wanted }: MeaningParts): string | undefined {
  const due = outcomeOf(() => mode.trace(wanted, packet))
  const is = outcomeOf(() => mode.trace(installed, packet))
  if (due.key === is.key) return undefined
  if (is.to === 'unknown') return `${CANNOT}: ${is.why}`
  const [has, lacks] = [is.endpoints, due.endpoints]
  if (is.to === 'untouched' && due.to === 'untouched') return 'pass this node with another source than they should'
  const words = packet.nodeAddresses.includes(packet.to) ? WORDS_HERE : WORDS
  if (is.to !== 'endpoint') return `${words[is.to]}${due.to === 'endpoint' ? '' : `, not ${words[due.to]}`}`
  if (due.to !== 'endpoint') return `will reach ${few(has)}, where none should answer`
  const [missing, strange] = [lacks.filter(one => !has.includes(one)), has.filter(one => !lacks.includes(one))]
  if (strange.length > 0)
    return `may reach ${few(strange)}, which ${strange.length === 1 ? 'is' : 'are'} no endpoint of it`
  if (missing.length > 0) return `will never reach ${few(missing)}`
  if (is.lost !== undefined && due.lost === undefined) return `${words[is.lost]}, some of them`
  return is.masqueraded === due.masqueraded
    ? 'reach its endpoints in other proportions'
    : `reach its endpoints ${is.masqueraded === 'yes' || due.masqueraded === 'no' ? "with this node's address as their source" : 'with a source that this node does not see again'}`
}

const WORDS: Readonly<Record<'rejected' | 'dropped' | 'untouched' | 'unknown', string>> = {
  rejected: 'will be refused',
  dropped: 'will be dropped',
  untouched: 'will pass this node as they are, to an address that no machine has',
  unknown: 'go where cannot be followed',
}

/** To an address of this node. */
const WORDS_HERE: typeof WORDS = { ...WORDS, untouched: 'will end at this node, where no program may listen' }

interface PathOutcome {
  readonly to: 'endpoint' | 'rejected' | 'dropped' | 'untouched' | 'unknown'
  /** Set where only some reach an endpoint: what becomes of others. */
  readonly lost?: 'rejected' | 'dropped' | 'untouched'
  readonly endpoints: readonly string[]
  readonly masqueraded: 'yes' | 'no' | 'some'
  readonly why: string
  /** The same for the same. */
  readonly key: string
}

function outcomeOf(trace: () => readonly Path[]): PathOutcome {
  try {
    const paths = trace()
    const reached = paths.flatMap(({ end }) => (end.to === 'endpoint' ? [end] : []))
    const [lost] = paths.flatMap(({ end }) => (end.to === 'endpoint' ? [] : [end.to]))
    const endpoints = [...new Set(reached.map(({ endpoint }) => endpoint))]
    const masks = new Set(reached.map(({ masqueraded }) => masqueraded))
    const masqueraded = masks.size > 1 ? 'some' : masks.has(true) ? 'yes' : 'no'
    const about = { endpoints, masqueraded, why: '', key: keyOf(paths) } as const
    if (reached.length === 0) return { to: lost ?? 'untouched', ...about }
    return { to: 'endpoint', ...(lost !== undefined && { lost }), ...about }
  } catch (error) {
    const why = (error as Error).message
    return { to: 'unknown', endpoints: [], masqueraded: 'no', why, key: `unknown ${why}` }
  }
}

/** Rules may lead to one end by several ways: only what they add up to counts. */
function keyOf(paths: readonly Path[]): string {
  const shares = new Map<string, number>()
  for (const { end, share } of paths) {
    const where = `${end.to === 'endpoint' ? end.endpoint : end.to} ${'masqueraded' in end ? end.masqueraded : ''}`
    shares.set(where, (shares.get(where) ?? 0) + share)
  }
  return [...shares]
    .map(([where, share]) => `${where} ${share.toFixed(4)}`)
    .sort()
    .join('\n')
}

const FEW = 3

function few(texts: readonly string[]): string {
  const more = texts.length - FEW
  return `${texts.slice(0, FEW).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}
