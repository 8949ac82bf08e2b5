import type { EndpointSlice, SliceEndpoint, SlicePort } from '#kubernetes/objects.ts'
import { type Address, addressFromNumber, addressNumber, type Family, familyOf } from '#values/address.ts'
import type { ObjectName } from '#values/names.ts'
import { type Line, StoryError } from './lines.ts'
import { addressAt, oneOf, portNameAt, portOfProtocolAt, unknown, wordsOf } from './terms.ts'

// A `slice` block of a story → an EndpointSlice: its ports, then one line an endpoint.

export interface SliceHead {
  readonly name: ObjectName
  readonly service: ObjectName
  /** Needed only for an empty slice. */
  readonly family?: Family
}

export function sliceOf({ name, service, family }: SliceHead, line: Line): EndpointSlice {
  const ports = line.children.filter(({ text }) => text.startsWith('port '))
  const endpoints = line.children
    .filter(child => !ports.includes(child))
    .flatMap(child => endpointsAt(child, child.text))
  const slice = { kind: 'EndpointSlice', name, service, ports: ports.map(portLine) } as const
  return { ...slice, ...withEndpoints(line, endpoints, family) }
}

/** The slice with this endpoint instead of the one of the same address. */
export function withEndpoint(slice: EndpointSlice, line: Line, text: string): EndpointSlice {
  const changed = endpointsAt(line, text)
  const others = slice.endpoints.filter(({ ip }) => !changed.some(endpoint => endpoint.ip === ip))
  return { ...slice, ...withEndpoints(line, [...others, ...changed], slice.family) }
}

function withEndpoints(
  line: Line,
  endpoints: readonly SliceEndpoint[],
  said: Family | undefined,
): Pick<EndpointSlice, 'endpoints' | 'family'> {
  const family = said ?? (endpoints[0] === undefined ? 'ipv4' : familyOf(endpoints[0].ip))
  const otherFamily = endpoints.find(({ ip }) => familyOf(ip) !== family)
  if (otherFamily !== undefined)
    throw new StoryError(line, `${otherFamily.ip} is not ${family}, as the rest of the slice is`)
  return { endpoints, family }
}

/** `port 8080`, `port dns 5353/udp` */
function portLine(line: Line): SlicePort {
  const [, first, second, ...more] = wordsOf(line.text)
  if (more.length > 0) throw new StoryError(line, 'a port line reads: port NAME NUMBER/PROTOCOL')
  const [name, spec] = second === undefined ? ['', first] : [first, second]
  return { name: portNameAt(line, name!), ...portOfProtocolAt(line, spec) }
}

/** `10.244.1.5 on here, for zones a b, terminating`; `10.244.8.1..10.244.8.250 on there` is many. */
function endpointsAt(line: Line, text: string): readonly SliceEndpoint[] {
  const [head = '', ...clauses] = text.split(',').map(clause => clause.trim())
  const [range, ...place] = wordsOf(head)
  const about = [placeAt(line, place), ...clauses.map(clause => clauseAt(line, clause))]
  const healthy = { ready: true, serving: true, terminating: false }
  return addressesAt(line, range).map(ip => Object.assign({ ip, ...healthy }, ...about))
}

function addressesAt(line: Line, range: string | undefined): readonly Address[] {
  const [first, last, ...more] = (range ?? '').split('..')
  if (more.length > 0) throw unknown(line, range, 'a range of addresses like 10.244.8.1..10.244.8.250')
  const from = addressAt(line, first)
  if (last === undefined) return [from]
  const count = Number(addressNumber(addressAt(line, last)) - addressNumber(from)) + 1
  if (count < 1 || count > 5000) throw unknown(line, range, 'a range of 1 to 5000 addresses')
  return Array.from({ length: count }, (_, i) => addressFromNumber(familyOf(from), addressNumber(from) + BigInt(i)))
}

function placeAt(line: Line, place: readonly string[]): Partial<SliceEndpoint> {
  if (place.length === 0) return {}
  const [on, nodeName, ...more] = place
  if (on !== 'on' || nodeName === undefined || more.length > 0)
    throw unknown(line, place.join(' '), 'a place like: on here')
  return { nodeName }
}

const CONDITIONS: Readonly<Record<string, Partial<SliceEndpoint>>> = {
  ready: { ready: true, serving: true },
  'not ready': { ready: false, serving: false },
  'not ready but serving': { ready: false, serving: true },
  terminating: { ready: false, serving: true, terminating: true },
  'terminating and not serving': { ready: false, serving: false, terminating: true },
  'ready while terminating': { ready: true, serving: true, terminating: true },
}

function clauseAt(line: Line, clause: string): Partial<SliceEndpoint> {
  const condition = CONDITIONS[clause]
  if (condition !== undefined) return condition
  const [first, second, ...names] = wordsOf(clause)
  if (first === 'zone' && second !== undefined && names.length === 0) return { zone: second }
  if (first !== 'for' || names.length === 0)
    throw unknown(
      line,
      clause,
      `a zone, a hint (for zones a b, for nodes here), or one of: ${Object.keys(CONDITIONS).join('; ')}`,
    )
  return oneOf(line, second, ['zones', 'nodes']) === 'zones' ? { forZones: names } : { forNodes: names }
}
