import type { FollowedSource } from './followed.ts'

// The addresses of this node's pods, where they come from, and how packets reach those of other nodes.

export interface AddressSource extends FollowedSource {
  /** False while no program gives addresses on this node. Throws where that cannot be read. */
  isThere(): boolean
  /** Undefined where no address has been given on this node yet. Throws where they cannot be read. */
  networks(): readonly NetworkAddresses[] | undefined
}

export interface NetworkAddresses {
  readonly network: string
  readonly subnets: readonly string[]
  readonly counts: readonly { readonly status: string; readonly count: bigint }[]
  readonly rows: readonly AddressLine[]
}

export interface AddressLine {
  /** `10.244.1.7`, or the first and last of a stretch of free ones. */
  readonly ip: string
  readonly status: string
  readonly isGood: boolean
  readonly pod?: string
  readonly container?: string
  readonly ifname?: string
  readonly since?: number
  readonly until?: number
  /** Why it is reserved, or in doubt. */
  readonly reason?: string
}

export interface RangesOfNode extends FollowedSource {
  /** Ranges of this node's networks, and how full they are. */
  sets(): readonly RangeUse[]
  /** Of all nodes that are known here, this one included. */
  nodes(): readonly RangesLine[]
  /** Ranges of the cluster: of Services, of the ring. */
  readonly cluster: () => readonly { readonly name: string; readonly ranges: readonly string[] }[]
}

export interface RangeUse {
  readonly network: string
  readonly ranges: readonly string[]
  readonly size: bigint
  readonly assigned: number
  readonly cooling: number
  readonly free: bigint
}

export interface RangesLine {
  readonly node: string
  readonly isThisNode: boolean
  readonly addresses: readonly string[]
  readonly ranges: readonly string[]
}

export interface RouteSource extends FollowedSource {
  /** Undefined until a first round has been made. */
  routes(): RouteTable | undefined
}

export interface RouteTable {
  readonly at: number
  readonly routes: readonly RouteLine[]
  /** Routes that another program had taken away, as the last rounds laid them again. */
  readonly repaired: number
}

export interface RouteLine {
  readonly node: string
  readonly range: string
  readonly via: string
  readonly link: string
  readonly state: 'stands' | 'refused'
  readonly reason?: string
}
