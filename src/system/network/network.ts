import type { Address, Family } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'
import type { NeighbourTable, VxlanOptions, VxlanState } from './neighbours.ts'

// Links, addresses and routes of a network namespace, as a port: over netlink, or by the `ip` command where that is refused.

export interface Networks {
  /** The node's own namespace without a path. Fails with NetworkRefused: ENOENT where the namespace is gone. */
  open(namespace?: string): Promise<NamespaceNetwork>
}

/** Each call is one change, done when it returns; a refusal is a NetworkRefused. */
export interface NamespaceNetwork {
  links(): Promise<readonly LinkState[]>
  link(name: string): Promise<LinkState | undefined>
  addBridge(name: string, options: BridgeOptions): Promise<void>
  /** A pair: one end here, the other in another namespace. Both or neither are made. */
  addVeth(end: NearVethEnd, peer: VethEnd & { readonly namespace?: string }): Promise<void>
  addVlan(name: string, options: { readonly parent: string; readonly id: number }): Promise<void>
  addVxlan(name: string, options: VxlanOptions): Promise<void>
  changeLink(name: string, change: LinkChange): Promise<void>
  /** False where there was none. When it returns, the link is gone from the namespace, and so is the other end of a veth. */
  deleteLink(name: string): Promise<boolean>
  /** Undefined for a link that is no port of a bridge. */
  bridgePort(name: string): Promise<BridgePort | undefined>
  changeBridgePort(name: string, change: BridgePortChange): Promise<void>
  /** VLANs a bridge or a port of it takes part in. */
  vlans(name: string): Promise<readonly LinkVlan[]>
  addVlans(name: string, vlans: readonly LinkVlan[]): Promise<void>
  deleteVlans(name: string, vlans: readonly LinkVlan[]): Promise<void>
  addresses(link?: string): Promise<readonly InterfaceAddress[]>
  addAddress(link: string, address: AddressWithPrefix & { readonly withoutDad?: true }): Promise<void>
  /** False where there was none. */
  deleteAddress(link: string, address: AddressWithPrefix): Promise<boolean>
  /** Unicast routes of every table but `local`, one for each next hop, with table, scope and priority as the kernel has them. */
  routes(family: Family): Promise<readonly NetworkRoute[]>
  /** A further route to the same destination becomes a second one, where the kernel takes it. */
  addRoute(route: NetworkRoute): Promise<void>
  /** The first one that has what is named of it; false where there is none. */
  deleteRoute(route: NetworkRoute): Promise<boolean>
  readonly neighbours: NeighbourTable
  /** A file below /proc/sys/net, e.g. `ipv4/ip_forward`; undefined where there is none. */
  setting(path: string): Promise<string | undefined>
  changeSetting(path: string, value: string): Promise<void>
  close(): void
}

export class NetworkRefused extends Error {
  override readonly name = 'NetworkRefused'
  /** The kernel's word: `EEXIST`, `ENODEV`, `EPERM`. */
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

export interface LinkState {
  readonly index: number
  readonly name: string
  /** `bridge`, `veth`, `vlan`, `vxlan`; empty for hardware and loopback. */
  readonly kind: string
  readonly mac: string
  readonly mtu: number
  /** Administratively. */
  readonly isUp: boolean
  /** `up`, `down`, `lowerlayerdown`, `unknown` … */
  readonly operState: string
  readonly isPromiscuous: boolean
  /** Text that people and programs put on it. */
  readonly alias?: string
  readonly master?: number
  /** Of a veth, the index of its other end, in the namespace that end is in. */
  readonly peer?: number
  /** Of a bridge. */
  readonly isVlanFiltering?: boolean
  readonly vxlan?: VxlanState
}

export interface BridgeOptions {
  /** One that is not said follows those of the ports. */
  readonly mac?: string
  readonly mtu?: number
  readonly vlanFiltering?: boolean
}

export interface VethEnd {
  readonly name: string
  readonly mac?: string
  readonly mtu?: number
}

/** Put into its bridge and up as it is made: there is no moment in which it is half there. */
export interface NearVethEnd extends VethEnd {
  /** The name of a bridge. */
  readonly master?: string
  readonly state?: 'up'
}

export interface LinkChange {
  readonly state?: 'up' | 'down'
  readonly mtu?: number
  readonly mac?: string
  /** The name of a bridge; null takes the link out. */
  readonly master?: string | null
  readonly promiscuous?: 'on' | 'off'
  /** Up to 255 bytes. */
  readonly alias?: string
  readonly name?: string
  readonly vlanFiltering?: 'on' | 'off'
}

export interface BridgePort {
  /** `forwarding`, `disabled`, `listening` … */
  readonly state: string
  readonly hasHairpin: boolean
  readonly isIsolated: boolean
}

export interface BridgePortChange {
  readonly hairpin?: 'on' | 'off'
  readonly isolated?: 'on' | 'off'
}

export interface LinkVlan {
  readonly id: number
  readonly isUntagged: boolean
  readonly isPvid: boolean
}

export interface AddressWithPrefix {
  readonly address: Address
  readonly prefixLength: number
}

export interface InterfaceAddress extends AddressWithPrefix {
  readonly link: number
  readonly scope: string
  /** An IPv6 address that is still being looked for on the link, or was found there. */
  readonly isTentative: boolean
  readonly hasDadFailed: boolean
}

export interface NetworkRoute {
  /** `0.0.0.0/0` and `::/0` are the default routes. */
  readonly destination: Cidr
  readonly gateway?: Address
  /** The name of the link it leaves by. */
  readonly link?: string
  readonly mtu?: number
  readonly advmss?: number
  readonly priority?: number
  readonly table?: number
  readonly scope?: number
  readonly source?: Address
  /** The number of the program that made it: 2 the kernel, 3 where none is named, 4 a person. */
  readonly protocol?: number
  /** The gateway is taken to be on the link, whatever the other routes say. */
  readonly isOnLink?: boolean
}
