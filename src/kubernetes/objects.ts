import type { Address, Family } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'
import type { ObjectName, PortName } from '#values/names.ts'
import type { Protocol } from '#values/protocol.ts'

// What is kept of a Kubernetes object: only what we use, every string already proven safe. Only decode/ makes these.

export type ObjectKind = 'Service' | 'EndpointSlice' | 'Node' | 'ServiceCIDR'
export type Policy = 'Cluster' | 'Local'

export interface Service {
  readonly kind: 'Service'
  readonly name: ObjectName
  readonly uid: string
  /** Milliseconds since the epoch: of two Services that claim the same frontend, the older one gets it. */
  readonly created: number
  readonly type: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName'
  /** At most one per family, the primary family first; empty for a headless Service. */
  readonly clusterIPs: readonly Address[]
  readonly ports: readonly ServicePortSpec[]
  /** Set where sessionAffinity is ClientIP. */
  readonly stickySeconds?: number
  readonly externalPolicy: Policy
  readonly internalPolicy: Policy
  readonly externalIPs: readonly Address[]
  /** Load balancer addresses that this node answers on (`ipMode` absent or VIP). */
  readonly loadBalancerIPs: readonly Address[]
  readonly sourceRanges: readonly Cidr[]
  readonly healthCheckNodePort?: number
}

export interface ServicePortSpec {
  readonly name: PortName
  readonly protocol: Protocol
  readonly port: number
  readonly nodePort?: number
}

export interface EndpointSlice {
  readonly kind: 'EndpointSlice'
  readonly name: ObjectName
  /** `namespace/name` of the Service this slice belongs to. */
  readonly service: ObjectName
  readonly family: Family
  readonly ports: readonly SlicePort[]
  readonly endpoints: readonly SliceEndpoint[]
  /** Annotation endpoints.kubernetes.io/last-change-trigger-time, in milliseconds since the epoch. */
  readonly triggered?: number
}

export interface SlicePort {
  readonly name: PortName
  readonly protocol: Protocol
  readonly port: number
}

export interface SliceEndpoint {
  readonly ip: Address
  readonly ready: boolean
  readonly serving: boolean
  readonly terminating: boolean
  readonly nodeName?: string
  readonly zone?: string
  /** Absent where the list is absent or empty: an empty hint is no hint. */
  readonly forZones?: readonly string[]
  readonly forNodes?: readonly string[]
}

export interface Node {
  readonly kind: 'Node'
  readonly name: ObjectName
  readonly uid: string
  /** InternalIPs in order, then ExternalIPs; the first is the primary one. */
  readonly addresses: readonly Address[]
  readonly zone?: string
  readonly podCIDRs: readonly Cidr[]
  readonly deleting: boolean
  readonly taints: readonly string[]
}

/** The ranges from which the cluster takes cluster IPs. */
export interface ServiceCIDR {
  readonly kind: 'ServiceCIDR'
  readonly name: ObjectName
  readonly cidrs: readonly Cidr[]
}

export type ClusterObject = Service | EndpointSlice | Node | ServiceCIDR
