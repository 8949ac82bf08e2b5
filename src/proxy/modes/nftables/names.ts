import type { Endpoint, ServiceTraffic } from '#proxy/desired/traffic.ts'
import type { Unit } from '#proxy/modes/mode.ts'
import { hash8 } from '#values/digest.ts'

// The names of our table, chains, maps and sets, and of their units.

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

export const TABLE_UNIT: Unit = `table ${TABLE}`

export function chainUnit(chain: string): Unit {
  return `chain ${chain}`
}

export function mapUnit(map: string): Unit {
  return `map ${map}`
}

export function setUnit(set: string): Unit {
  return `set ${set}`
}

/**
 * `container` is a map or a set; `key` as nft writes it. Joined, and not put together: V8 would keep the pieces, too, of a
 * hundred thousand names.
 */
export function elementUnit(container: string, key: string): Unit {
  return ['element', container, key].join(' ')
}

export interface NftUnit {
  readonly kind: NftUnitKind
  /** Of the chain, map or set; of the one an element is in. */
  readonly name: string
  /** Of an element. */
  readonly key: string
}

export function unitParts(unit: Unit): NftUnit {
  const first = unit.indexOf(' ')
  const second = unit.indexOf(' ', first + 1)
  const kind = unit.slice(0, first) as NftUnitKind
  if (second < 0) return { kind, name: unit.slice(first + 1), key: '' }
  return { kind, name: unit.slice(first + 1, second), key: unit.slice(second + 1) }
}

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
    endpoint: endpoint => `endpoint-${at(endpoint)}`,
    affinity: endpoint => `${AFFINITY}${at(endpoint)}`,
  }
}

export const AFFINITY = 'affinity-'

/** The kernel takes names of 255 characters; the hash in front keeps apart what is cut off. */
const NAME_CHARACTERS = 240

function hashed(path: string): string {
  const name = `${hash8(path)}-${path}`
  return name.length > NAME_CHARACTERS ? `${name.slice(0, NAME_CHARACTERS - 3)}...` : name
}
