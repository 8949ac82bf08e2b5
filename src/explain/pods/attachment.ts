import type { InterfaceAddress, LinkState, NetworkRoute } from '#system/network/network.ts'
import type { Address, Family } from '#values/address.ts'

// What is read of a node's network and of pods on it, for the stations of a packet.

/** Of a node, as its kernel says. */
export interface NodeNetwork {
  readonly links: readonly LinkState[]
  readonly addresses: readonly InterfaceAddress[]
  readonly routes: Readonly<Record<Family, readonly NetworkRoute[]>>
  /** Of the overlay: behind which host a hardware address is, and which one a gateway has. */
  readonly tunnels: readonly { readonly mac: string; readonly host: Address }[]
  readonly neighbours: readonly { readonly address: Address; readonly mac: string }[]
}

/** A pod's network namespace, as it was found. */
export interface PodAttachment {
  /** `namespace/name`, or the container. */
  readonly pod: string
  readonly network: string
  readonly address: Address
  readonly ifname: string
  /** The path of its network namespace. */
  readonly netns?: string
  /** Undefined where the namespace could not be entered. */
  readonly inside?: {
    readonly link: LinkState | undefined
    readonly addresses: readonly InterfaceAddress[]
    readonly routes: Readonly<Record<Family, readonly NetworkRoute[]>>
  }
}
