import type { Address } from '#values/address.ts'

// What a program says of the far side of a link, so that the kernel need not ask: a part of the port in network.ts.

/** Of the links of one namespace. What the kernel has found out by itself is not in it. */
export interface NeighbourTable {
  /** Permanent entries of both families. */
  list(link: string): Promise<readonly Neighbour[]>
  /** In the place of any other of this address. */
  set(link: string, neighbour: Neighbour): Promise<void>
  /** False where there was none. */
  delete(link: string, neighbour: Neighbour): Promise<boolean>
  /** Of a VXLAN link, behind which hosts its hardware addresses are; the one for all other addresses is not among them. */
  tunnels(link: string): Promise<readonly Tunnel[]>
  /** In the place of any other of this hardware address. */
  setTunnel(link: string, tunnel: Tunnel): Promise<void>
  /** False where there was none. */
  deleteTunnel(link: string, tunnel: Tunnel): Promise<boolean>
}

export interface Neighbour {
  readonly address: Address
  readonly mac: string
}

/** An entry of the forwarding database: frames for this hardware address are sent to this host. */
export interface Tunnel {
  readonly mac: string
  readonly host: Address
}

/** Without learning: who sends what from where is set, not guessed. */
export interface VxlanOptions extends VxlanState {
  readonly mac: string
  readonly mtu: number
}

export interface VxlanState {
  readonly vni: number
  /** UDP. */
  readonly port: number
  /** The address that packets are sent from; it decides the family of all hosts. */
  readonly local?: Address
}
