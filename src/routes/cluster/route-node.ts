import type { Address } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'

// What routes are made of: which node has which ranges, and by which addresses it is reached.

export interface RouteNode {
  readonly name: string
  /** The addresses of the Node object, internal ones first, each kind in its order. */
  readonly addresses: readonly Address[]
  readonly ranges: readonly Cidr[]
}

/** Every node there is, this one included, in the order of names. There is none of a cluster that is known in part. */
export type RouteCluster = readonly RouteNode[]

/** The cluster as it is known now. */
export interface RouteClusterView {
  /** Another number after each change that concerns routes. */
  readonly revision: number
  /** Undefined until all of it is known. While nothing can be asked, it is what it was. */
  cluster(): RouteCluster | undefined
}
