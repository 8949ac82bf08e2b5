import type { Neighbour, Tunnel, VxlanOptions } from '#system/network/neighbours.ts'
import type { InterfaceAddress, LinkState, NetworkRoute } from '#system/network/network.ts'
import type { Address, Family } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'

// What routes are to be, and what the kernel has, in the same words.

export interface RouteSettings {
  /** `auto`: for each node, by whether it is on a link of ours. */
  readonly overlay: 'auto' | 'none' | 'vxlan'
  readonly vni: number
  /** UDP. */
  readonly port: number
}

/** Of this node, as its kernel says. */
export interface KernelState {
  readonly links: readonly LinkState[]
  readonly addresses: readonly InterfaceAddress[]
  readonly routes: Readonly<Record<Family, readonly NetworkRoute[]>>
  /** Of the overlay's link, where there is one. */
  readonly neighbours: readonly Neighbour[]
  readonly tunnels: readonly Tunnel[]
}

export interface RoutePlan {
  readonly routes: readonly PlannedRoute[]
  /** Absent where no node is reached over it. */
  readonly overlay?: PlannedOverlay
  readonly refused: readonly RefusedRange[]
}

/** To the main table, with our number. */
export interface PlannedRoute {
  readonly node: string
  readonly destination: Cidr
  readonly gateway: Address
  readonly link: string
  /** Over the overlay, where the gateway is in no network. */
  readonly isOnLink: boolean
}

export interface PlannedOverlay {
  readonly options: VxlanOptions
  /** The link whose packets carry it. */
  readonly underlay: string
  /** This node's own, one of each family: what it sends to pods of others by itself comes from them. */
  readonly addresses: readonly Address[]
  readonly neighbours: readonly Neighbour[]
  readonly tunnels: readonly Tunnel[]
}

/** A range that there is no route to, and why not, in a sentence. */
export interface RefusedRange {
  readonly node: string
  readonly range: Cidr
  readonly why: string
}

/** Ours among the routes of a node: no other program is known to use it. */
export const ROUTE_PROTOCOL = 115
export const MAIN_TABLE = 254
