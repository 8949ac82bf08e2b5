import { type Address, addressFromNumber, addressNumber } from '#values/address.ts'
import { type Cidr, cidrFamily, contains } from '#values/cidr.ts'
import type { PortRange } from '#values/port-range.ts'
import { clusterIPBands, isInBands, isStatic, nodePortBands } from './bands.ts'

// Services, the IPAddress objects that stand for their cluster IPs, and the ranges → what is wrong between them, under the
// reasons of Kubernetes' own events. It is said, never repaired: kube-apiserver does that.

export interface AuditedService {
  /** `namespace/name`. */
  readonly name: string
  readonly clusterIPs: readonly Address[]
  /** The number of a port that is node port of two protocols stands here once. */
  readonly nodePorts: readonly number[]
}

export interface AuditedAddress {
  readonly address: Address
  /** `namespace/name` of the Service it stands for; undefined where it refers to anything else. */
  readonly service: string | undefined
}

export interface ServiceRanges {
  readonly cidrs: readonly Cidr[]
  readonly nodePorts: PortRange
}

export interface RangeFinding {
  readonly reason: FindingReason
  /** The Service or IPAddress it is about. */
  readonly about: string
  readonly message: string
  /** `note`: as things may well be, and worth to know. */
  readonly weight: 'error' | 'note'
}

export type FindingReason =
  | 'ClusterIPAlreadyAllocated'
  | 'ClusterIPNotAllocated'
  | 'ClusterIPOutOfRange'
  | 'ClusterIPInStaticBand'
  | 'IPAddressNotAllocated'
  | 'IPAddressWrongReference'
  | 'PortAlreadyAllocated'
  | 'PortOutOfRange'
  | 'PortInStaticBand'

export interface AuditedCluster {
  readonly services: readonly AuditedService[]
  /** Undefined where the cluster has no such objects: before Kubernetes 1.33. */
  readonly addresses: readonly AuditedAddress[] | undefined
  readonly ranges: ServiceRanges
}

export function audited({ services, addresses, ranges }: AuditedCluster): readonly RangeFinding[] {
  return [
    ...clusterIPFindings(services, ranges, new Map(addresses?.map(({ address, service }) => [address, service]))),
    ...(addresses === undefined ? [] : addressFindings(services, addresses)),
    ...portFindings(services, ranges.nodePorts),
  ]
}

/** Of two Services with one address, it is that of the one which its IPAddress refers to, or else of the first. */
function clusterIPFindings(
  services: readonly AuditedService[],
  { cidrs }: ServiceRanges,
  owners: ReadonlyMap<Address, string | undefined>,
): readonly RangeFinding[] {
  const firstWith = new Map<Address, string>()
  for (const { name, clusterIPs } of services)
    for (const ip of clusterIPs) if (owners.get(ip) === name) firstWith.set(ip, name)
  return services.flatMap(({ name, clusterIPs }) =>
    clusterIPs.flatMap((ip): readonly RangeFinding[] => {
      const other = firstWith.get(ip)
      if (other !== undefined && other !== name) {
        return [error('ClusterIPAlreadyAllocated', name, `cluster IP ${ip} is that of Service ${other}, too`)]
      }
      firstWith.set(ip, name)
      const holding = cidrs.filter(cidr => contains(cidr, ip))
      if (!holding.some(cidr => isInBands(clusterIPBands(cidr), addressNumber(ip)))) {
        return [
          error(
            'ClusterIPOutOfRange',
            name,
            `cluster IP ${ip} is in none of ${cidrs.join(', ') || 'the ranges, of which there are none'}`,
          ),
        ]
      }
      const band = holding.find(cidr => isStatic(clusterIPBands(cidr), addressNumber(ip)))
      return band === undefined
        ? []
        : [note('ClusterIPInStaticBand', name, `cluster IP ${ip} is in the static band of ${band}, ${bandText(band)}`)]
    }),
  )
}

function addressFindings(
  services: readonly AuditedService[],
  addresses: readonly AuditedAddress[],
): readonly RangeFinding[] {
  const objects = new Map(addresses.map(one => [one.address, one]))
  const owners = ownersOf(services)
  const missing = services.flatMap(({ name, clusterIPs }) =>
    clusterIPs.flatMap(ip =>
      objects.has(ip)
        ? []
        : [error('ClusterIPNotAllocated', name, `cluster IP ${ip} has no IPAddress: it could be given again`)],
    ),
  )
  const wrong = addresses.flatMap(({ address, service }): readonly RangeFinding[] => {
    const owner = owners.get(address)
    if (service === undefined) return [error('IPAddressWrongReference', address, 'it refers to no Service')]
    if (owner?.has(service)) return []
    if (owner === undefined)
      return [
        error('IPAddressNotAllocated', address, `no Service has it; it refers to ${service}, and is lost to others`),
      ]
    return [
      error(
        'IPAddressWrongReference',
        address,
        `it refers to Service ${service}, and is that of ${[...owner].join(' and ')}`,
      ),
    ]
  })
  return [...missing, ...wrong]
}

function ownersOf(services: readonly AuditedService[]): ReadonlyMap<Address, ReadonlySet<string>> {
  const found = new Map<Address, Set<string>>()
  for (const { name, clusterIPs } of services) {
    for (const ip of clusterIPs) {
      const names = found.get(ip)
      if (names === undefined) found.set(ip, new Set([name]))
      else names.add(name)
    }
  }
  return found
}

function portFindings(services: readonly AuditedService[], range: PortRange): readonly RangeFinding[] {
  const bands = nodePortBands(range)
  const firstWith = new Map<number, string>()
  return services.flatMap(({ name, nodePorts }) =>
    nodePorts.flatMap((port): readonly RangeFinding[] => {
      const other = firstWith.get(port)
      if (other !== undefined && other !== name) {
        return [error('PortAlreadyAllocated', name, `node port ${port} is that of Service ${other}, too`)]
      }
      firstWith.set(port, name)
      if (!isInBands(bands, BigInt(port))) {
        return [error('PortOutOfRange', name, `node port ${port} is not in ${range.first}-${range.last}`)]
      }
      if (!isStatic(bands, BigInt(port))) return []
      return [
        note(
          'PortInStaticBand',
          name,
          `node port ${port} is in the static band, ${range.first}-${bands.dynamicFrom - 1n}`,
        ),
      ]
    }),
  )
}

function bandText(cidr: Cidr): string {
  const { first, dynamicFrom } = clusterIPBands(cidr)
  const family = cidrFamily(cidr)
  return `${addressFromNumber(family, first)}-${addressFromNumber(family, dynamicFrom - 1n)}`
}

function error(reason: FindingReason, about: string, message: string): RangeFinding {
  return { reason, about, message, weight: 'error' }
}

/** What to do about it: that is for the API server and for the owner of the Service. */
export const ADVICE: Readonly<Record<FindingReason, string>> = {
  ClusterIPAlreadyAllocated: 'delete one of the two Services and create it anew, so that it gets another address',
  ClusterIPNotAllocated: 'kube-apiserver makes the IPAddress within minutes; where it does not, its log says why',
  ClusterIPOutOfRange: 'create the Service anew, or a ServiceCIDR that has its address',
  ClusterIPInStaticBand: 'nothing, where the address was chosen; else the dynamic band was full when it was given',
  IPAddressNotAllocated: 'kube-apiserver deletes it within minutes; where it does not: kubectl delete ipaddress NAME',
  IPAddressWrongReference: 'kubectl delete ipaddress NAME; kube-apiserver makes it anew for the Service that has it',
  PortAlreadyAllocated: 'give one of the two Services another node port',
  PortOutOfRange: 'give the Service a node port of the range, or kube-apiserver a wider --service-node-port-range',
  PortInStaticBand: 'nothing, where the port was chosen; else the dynamic band was full when it was given',
}

function note(reason: FindingReason, about: string, message: string): RangeFinding {
  return { reason, about, message, weight: 'note' }
}
