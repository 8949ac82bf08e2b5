import { parseAddress } from '#values/address.ts'

// The fields of a Service's spec that decide which addresses and ports it gets, or that say which it has.

export type ServiceType = 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName'
export type IPFamily = 'IPv4' | 'IPv6'
export type IPFamilyPolicy = 'SingleStack' | 'PreferDualStack' | 'RequireDualStack'

export interface ServiceSpec {
  readonly type?: ServiceType
  readonly clusterIP?: string
  readonly clusterIPs?: readonly string[]
  readonly ipFamilies?: readonly IPFamily[]
  readonly ipFamilyPolicy?: IPFamilyPolicy
  readonly selector?: Readonly<Record<string, string>>
  readonly ports?: readonly SpecPort[]
  readonly externalTrafficPolicy?: string
  readonly healthCheckNodePort?: number
  readonly allocateLoadBalancerNodePorts?: boolean
}

export interface SpecPort {
  readonly name?: string
  readonly port: number
  readonly protocol?: string
  readonly nodePort?: number
}

export const HEADLESS = 'None'

export function isHeadless({ clusterIP }: ServiceSpec): boolean {
  return clusterIP === HEADLESS
}

/** All but an ExternalName have one, or say that they want none. */
export function hasClusterIP({ type }: ServiceSpec): boolean {
  return type !== 'ExternalName'
}

export function hasNodePorts({ type }: ServiceSpec): boolean {
  return type === 'NodePort' || type === 'LoadBalancer'
}

/** A load balancer asks each node at this port whether it has an endpoint of its own. */
export function hasHealthCheckPort({ type, externalTrafficPolicy }: ServiceSpec): boolean {
  return type === 'LoadBalancer' && externalTrafficPolicy === 'Local'
}

/** Each address in one spelling: in another one it could be given twice, and its owner could not apply the same file again. */
export function withOneSpelling(spec: ServiceSpec): ServiceSpec {
  const { clusterIP, clusterIPs } = spec
  const spelled = (ip: string): string => parseAddress(ip) ?? ip
  return {
    ...spec,
    ...(clusterIP !== undefined && { clusterIP: spelled(clusterIP) }),
    ...(clusterIPs !== undefined && { clusterIPs: clusterIPs.map(spelled) }),
  }
}

/** The cluster IPs that are addresses. */
export function addressesOf(spec: ServiceSpec): readonly string[] {
  if (!hasClusterIP(spec)) return []
  const listed = spec.clusterIPs ?? []
  const all = listed.length > 0 ? listed : [spec.clusterIP ?? '']
  return all.filter(ip => ip !== '' && ip !== HEADLESS)
}

/** Also those of a Service that should have none: its numbers are in use all the same. */
export function nodePortsOf({ ports = [] }: ServiceSpec): readonly number[] {
  return ports.flatMap(({ nodePort }) => (nodePort ? [nodePort] : []))
}

/** Every number of the node port range that this Service holds, each once. */
export function heldPorts(spec: ServiceSpec): readonly number[] {
  const { healthCheckNodePort } = spec
  return [...new Set([...nodePortsOf(spec), ...(healthCheckNodePort ? [healthCheckNodePort] : [])])]
}
