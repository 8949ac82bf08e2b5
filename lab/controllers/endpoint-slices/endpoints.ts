import type { EndpointSlice, Node, Pod, Service } from '#lab/client/objects.ts'
import { hasEnded, isReady } from '../facts/pod-facts.ts'

// A Service and its pods → the endpoints there should be, by address family and ports.

export type Endpoint = NonNullable<EndpointSlice['endpoints']>[number]
export type EndpointPort = NonNullable<EndpointSlice['ports']>[number]
export type AddressType = 'IPv4' | 'IPv6'

/** Endpoints that may stand in one slice: of one family and with the same ports. */
export interface EndpointGroup {
  readonly addressType: AddressType
  readonly ports: readonly EndpointPort[]
  /** By address. */
  readonly endpoints: ReadonlyMap<string, Endpoint>
}

export function endpointGroups(
  service: Service,
  pods: Iterable<Pod>,
  nodeNamed: (name: string) => Node | undefined,
): readonly EndpointGroup[] {
  const groups = new Map<string, EndpointGroup & { readonly endpoints: Map<string, Endpoint> }>()
  const families = familiesOf(service)
  for (const pod of pods) {
    if (hasEnded(pod.status?.phase)) continue
    const ports = portsOn(service, pod)
    for (const [addressType, address] of addressesOf(pod, families)) {
      const key = groupKey(addressType, ports)
      const group = groups.get(key) ?? { addressType, ports, endpoints: new Map() }
      groups.set(key, group)
      const endpoint = endpointOf({ service, pod, address }, nodeNamed)
      const other = group.endpoints.get(address)
      if (other === undefined || isBetter(endpoint, other)) group.endpoints.set(address, endpoint)
    }
  }
  return [...groups.values()]
}

/** Pods in the network of their node share its address: one that ends must not hide the one that serves in its place. */
function isBetter(endpoint: Endpoint, other: Endpoint): boolean {
  const [rank, otherRank] = [rankOf(endpoint), rankOf(other)]
  return rank === otherRank ? uidOf(endpoint) < uidOf(other) : rank > otherRank
}

function rankOf({ conditions }: Endpoint): number {
  return (conditions?.serving ? 2 : 0) + (conditions?.terminating ? 0 : 1)
}

function uidOf({ targetRef }: Endpoint): string {
  return targetRef?.uid ?? ''
}

export function groupKey(addressType: string, ports: readonly EndpointPort[]): string {
  const texts = ports.map(({ name = '', protocol = 'TCP', port, appProtocol = '' }) =>
    [name, protocol, port, appProtocol].join(' '),
  )
  return [addressType, ...texts.sort()].join('\n')
}

/** The primary one first. A Service without addresses takes the families of its cluster IPs, or what its pods have. */
export function familiesOf({ spec }: Service): readonly AddressType[] {
  const named = (spec?.ipFamilies ?? []) as readonly AddressType[]
  if (named.length > 0) return named
  const ips = (spec?.clusterIPs ?? [spec?.clusterIP ?? '']).filter(ip => ip && ip !== 'None')
  return ips.length > 0 ? ips.map(familyOf) : ['IPv4', 'IPv6']
}

function familyOf(ip: string): AddressType {
  return ip.includes(':') ? 'IPv6' : 'IPv4'
}

/** The first address of each family. */
function* addressesOf({ status }: Pod, families: readonly AddressType[]): Iterable<readonly [AddressType, string]> {
  const ips = status?.podIPs?.map(({ ip }) => ip) ?? (status?.podIP ? [status.podIP] : [])
  for (const family of families) {
    const ip = ips.find(it => it && familyOf(it) === family)
    if (ip) yield [family, ip]
  }
}

/** A named target port is another number on each pod; a pod without that name has no endpoint at that port. */
function portsOn({ spec }: Service, pod: Pod): readonly EndpointPort[] {
  return (spec?.ports ?? []).flatMap(({ name = '', port, targetPort = port, protocol = 'TCP', appProtocol }) => {
    const number = typeof targetPort === 'number' ? targetPort : namedPort(pod, String(targetPort), protocol)
    return number === undefined ? [] : [{ name, protocol, port: number, ...(appProtocol && { appProtocol }) }]
  })
}

function namedPort({ spec }: Pod, name: string, protocol: string): number | undefined {
  // `1e3` is a name.
  if (/^\d+$/.test(name)) return Number(name)
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')
  const ports = [...(spec?.containers ?? []), ...sidecars].flatMap(({ ports = [] }) => ports)
  return ports.find(it => it.name === name && (it.protocol ?? 'TCP') === protocol)?.containerPort
}

interface EndpointFacts {
  readonly service: Service
  readonly pod: Pod
  readonly address: string
}

/** A pod that is ending serves as long as it is ready; it is `ready` only where the Service asks for all pods at any rate. */
function endpointOf({ service, pod, address }: EndpointFacts, nodeNamed: (name: string) => Node | undefined): Endpoint {
  const { nodeName, hostname, subdomain } = pod.spec ?? {}
  const serving = isReady(pod)
  const terminating = pod.metadata.deletionTimestamp !== undefined
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating)
  const zone = nodeName === undefined ? undefined : nodeNamed(nodeName)?.metadata.labels?.[ZONE]
  const { namespace = '', name = '', uid = '' } = pod.metadata
  return {
    addresses: [address],
    conditions: { ready, serving, terminating },
    ...(hostname && subdomain === service.metadata.name && { hostname }),
    ...(nodeName && { nodeName }),
    targetRef: { kind: 'Pod', namespace, name, uid },
    ...(zone && { zone }),
    ...(ready && hints(service, zone, nodeName)),
  }
}

/** What the Service asks for by trafficDistribution. A node may be preferred where no zone is known. */
function hints({ spec }: Service, zone: string | undefined, nodeName: string | undefined): Pick<Endpoint, 'hints'> {
  const { trafficDistribution: wanted = '' } = spec ?? {}
  if (!HINTED.has(wanted)) return {}
  const forZones = zone ? { forZones: [{ name: zone }] } : {}
  const forNodes = wanted === 'PreferSameNode' && nodeName ? { forNodes: [{ name: nodeName }] } : {}
  const both = { ...forZones, ...forNodes }
  return Object.keys(both).length > 0 ? { hints: both } : {}
}

const HINTED: ReadonlySet<string> = new Set(['PreferClose', 'PreferSameZone', 'PreferSameNode'])

export const ZONE = 'topology.kubernetes.io/zone'
