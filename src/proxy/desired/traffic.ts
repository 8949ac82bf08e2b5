import type { Address } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'
import type { ObjectName } from '#values/names.ts'
import type { Protocol } from '#values/protocol.ts'

// One service port, in one family, seen from this node. All policy is decided here; a mode only writes it as rules.

export interface ServiceTraffic {
  /** `shop/cart:http` */
  readonly id: string
  readonly service: ObjectName
  readonly protocol: Protocol
  readonly frontends: readonly Frontend[]
  readonly pools: Pools
  /** Endpoints in neither pool that may still answer connections they already have; absent where there is none. */
  readonly leaving?: readonly Endpoint[]
  /** Which clients are masqueraded at the cluster IP. */
  readonly masquerade: 'all' | 'from-outside' | 'never'
  /** For traffic from outside the cluster; absent where no frontend faces outside or no endpoint could answer. */
  readonly gate?: Gate
  /** Clients keep their endpoint for this long. */
  readonly stickySeconds?: number
  /** The port at which load balancers ask whether this node has local endpoints. */
  readonly healthCheckPort?: number
}

export interface Pools {
  /** Sorted by their text; empty where no frontend uses the pool. */
  readonly cluster: readonly Endpoint[]
  readonly local: readonly Endpoint[]
}

export type PoolName = keyof Pools

export interface Endpoint {
  readonly ip: Address
  readonly port: number
  /** `10.244.1.2:3306`, `[fd00::1]:80` */
  readonly text: string
  readonly local: boolean
}

/** An address and port that clients connect to; a node port has no address: any of the node's own will do. */
export interface Frontend {
  readonly kind: 'cluster-ip' | 'external-ip' | 'load-balancer' | 'node-port'
  readonly ip?: Address
  readonly port: number
  readonly verdict: Verdict
  readonly admits: Admission
  /** Only these sources may come in (load balancer addresses only). */
  readonly sourceRanges?: readonly Cidr[]
  /** And these: where a range has this node in it, its packets may come from one of the Service's load balancer addresses. */
  readonly sourceAddresses?: readonly Address[]
}

/** Whose connections reach an endpoint. Insiders are the pods of this node, and the node itself. */
export type Admission = 'all' | 'insiders' | 'none'

export type Verdict =
  | { readonly to: 'pool'; readonly pool: PoolName }
  /** To the gate of the service port, which decides about traffic from outside. */
  | { readonly to: 'gate' }
  /** No endpoint on any node: the client learns it at once. */
  | { readonly to: 'reject' }
  /** Endpoints, but none that the policy Local allows. */
  | { readonly to: 'drop' }

/** Traffic from outside, for all outward frontends of a service port. */
export type Gate =
  /** externalTrafficPolicy Cluster: masquerade, then the cluster pool. */
  | { readonly policy: 'Cluster' }
  /** externalTrafficPolicy Local: pods and the node itself go to the cluster pool, other clients to local endpoints. */
  | { readonly policy: 'Local'; readonly others: 'local' | 'drop' }
