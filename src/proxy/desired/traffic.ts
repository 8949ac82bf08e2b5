import type { Address } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'
import type { ObjectName } from '#values/names.ts'
import type { Protocol } from '#values/protocol.ts'

// One service port, in one family, seen from this node. All policy is decided here; a mode only says it in its own words.

export interface ServiceTraffic {
  /** `shop/cart:http` */
  readonly id: string
  readonly service: ObjectName
  readonly protocol: Protocol
  readonly frontends: readonly Frontend[]
  readonly pools: Pools
  /** Endpoints in neither pool that may still answer those who are connected to them; absent where there is none. */
  readonly leaving?: readonly Endpoint[]
  /** Who is masqueraded at the cluster IP. */
  readonly masquerade: 'all' | 'from-outside' | 'never'
  /** What happens to traffic from outside the cluster; absent where no frontend faces outside or nobody could answer. */
  readonly gate?: Gate
  /** Clients keep their endpoint for this long. */
  readonly stickySeconds?: number
  /** The port on which this node is asked whether it has local endpoints. */
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

/** An address and port one may knock at; a node port has no address: any of the node's own will do. */
export interface Frontend {
  readonly kind: 'cluster-ip' | 'external-ip' | 'load-balancer' | 'node-port'
  readonly ip?: Address
  readonly port: number
  readonly verdict: Verdict
  /** Only these sources may come in (load balancer addresses only). */
  readonly sourceRanges?: readonly Cidr[]
}

export type Verdict =
  | { readonly to: 'pool'; readonly pool: PoolName }
  /** Through the service's gate, which says what outside traffic may do. */
  | { readonly to: 'gate' }
  /** Nobody anywhere: refuse at once. */
  | { readonly to: 'reject' }
  /** Somebody, but nobody a Local policy allows. */
  | { readonly to: 'drop' }

/** The way in from outside, shared by all outward frontends of a service port. */
export type Gate =
  /** externalTrafficPolicy Cluster: masquerade, then the cluster pool. */
  | { readonly policy: 'Cluster' }
  /** externalTrafficPolicy Local: pods and the node itself go to the cluster pool, everybody else to local endpoints or nowhere. */
  | { readonly policy: 'Local'; readonly others: 'local' | 'drop' }
