import type { Endpoint, ServiceTraffic } from '#proxy/desired/traffic.ts'
import { asPart, asUnit, type Part, textOf, type Unit } from '#proxy/modes/unit.ts'
import { hash8 } from '#values/digest.ts'

// The names of our table, chains, maps and sets, and of their units and parts. They are put together here, and read here alone.

/** In the families `ip` and `ip6`. The name is kube-proxy's, so that its table and ours are never in the kernel together. */
export const TABLE = 'kube-proxy'

export const SERVICES = 'services'
export const MASQUERADING = 'masquerading'
export const FIREWALL_CHECK = 'firewall-check'
export const SERVICE_ENDPOINTS_CHECK = 'service-endpoints-check'
export const NODEPORT_ENDPOINTS_CHECK = 'nodeport-endpoints-check'
export const CLUSTER_IPS_CHECK = 'cluster-ips-check'
/** The chain for packets to addresses of the Services' ranges that no Service has. */
export const UNALLOCATED = 'unallocated-ips-check'
export const REJECT = 'reject-chain'

export type NftUnitKind = 'table' | 'chain' | 'map' | 'set' | 'element'

export const TABLE_UNIT: Unit = asUnit(`table ${TABLE}`)

export function chainUnit(chain: string): Unit {
  return asUnit(`chain ${chain}`)
}

export function mapUnit(map: string): Unit {
  return asUnit(`map ${map}`)
}

export function setUnit(set: string): Unit {
  return asUnit(`set ${set}`)
}

/**
 * `container` is a map or a set; `key` as nft writes it. Joined, and not put together: V8 would keep the pieces, too, of a
 * hundred thousand names.
 */
export function elementUnit(container: string, key: string): Unit {
  return asUnit(['element', container, key].join(' '))
}

export interface NftUnit {
  readonly kind: NftUnitKind
  /** Of the chain, map or set; of the one an element is in. */
  readonly name: string
  /** Of an element. */
  readonly key: string
}

export function unitParts(unit: Unit): NftUnit {
  const text = textOf(unit)
  const kind = kindOf(unit)
  const first = kind.length
  const second = text.indexOf(' ', first + 1)
  if (second < 0) return { kind, name: text.slice(first + 1), key: '' }
  return { kind, name: text.slice(first + 1, second), key: text.slice(second + 1) }
}

export function kindOf(unit: Unit): NftUnitKind {
  return KINDS[textOf(unit)[0]!]!
}

/** By the first letter: no two are the same. */
const KINDS: Readonly<Record<string, NftUnitKind>> = { t: 'table', c: 'chain', m: 'map', s: 'set', e: 'element' }

/** The map or set that an element is in; undefined for a unit that is no element. */
export function containerOf(unit: Unit): string | undefined {
  if (kindOf(unit) !== 'element') return undefined
  const text = textOf(unit)
  return text.slice(ELEMENT.length, text.indexOf(' ', ELEMENT.length))
}

const ELEMENT = 'element '

/** All chains and declarations of the table. */
export const RULES: Part = asPart('rules')

/** The elements of a map or set. */
export function elementsPart(container: string): Part {
  return asPart(`${ELEMENTS}${container}`)
}

export function partOf(unit: Unit): Part {
  const container = containerOf(unit)
  return container === undefined ? RULES : elementsPart(container)
}

/** The map or set whose elements a part is; undefined for RULES. */
export function containerIn(part: Part): string | undefined {
  return part === RULES ? undefined : textOf(part).slice(ELEMENTS.length)
}

const ELEMENTS = 'elements '

/** The chains and sets of a service port that cannot live in maps alone, named as kube-proxy names them. */
export interface OwnNames {
  /** All endpoints this node may use. */
  readonly cluster: string
  /** The endpoints on this node. */
  readonly local: string
  /** For packets to the cluster IP, where that is not one of the two. */
  readonly internal: string
  /** For packets to outward addresses and node ports. */
  readonly external: string
  /** Which sources may connect to the load balancer's addresses. */
  readonly firewall: string
  endpoint(endpoint: Endpoint): string
  /** The set of clients that were sent to an endpoint. */
  affinity(endpoint: Endpoint): string
}

export function ownNames({ id, service, protocol }: ServiceTraffic): OwnNames {
  const path = `${service}/${protocol}/${id.slice(service.length + 1)}`
  const name = hashed(path)
  const at = ({ ip, port }: Endpoint): string => hashed(`${path}__${ip.replaceAll(':', '.')}/${port}`)
  return {
    cluster: `service-${name}`,
    local: `local-${name}`,
    internal: `internal-${name}`,
    external: `external-${name}`,
    firewall: `firewall-${name}`,
    endpoint: endpoint => `${ENDPOINT}${at(endpoint)}`,
    affinity: endpoint => `${AFFINITY}${at(endpoint)}`,
  }
}

const ENDPOINT = 'endpoint-'
const AFFINITY = 'affinity-'

/** A set that clients enter. */
export function isAffinitySet(set: string): boolean {
  return set.startsWith(AFFINITY)
}

/** The chain of the endpoint that the clients in this set were sent to; undefined for a set that no clients enter. */
export function endpointChainOf(set: string): string | undefined {
  return isAffinitySet(set) ? `${ENDPOINT}${set.slice(AFFINITY.length)}` : undefined
}

/** The kernel takes names of 255 characters; the hash in front keeps apart what is cut off. */
const NAME_CHARACTERS = 240

function hashed(path: string): string {
  const name = `${hash8(path)}-${path}`
  return name.length > NAME_CHARACTERS ? `${name.slice(0, NAME_CHARACTERS - 3)}...` : name
}
