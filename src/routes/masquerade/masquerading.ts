import type { Cidr } from '#values/cidr.ts'

// What leaves the cluster → the node's address as its sender, by rules that are there once for the node, not for each pod.

export interface MasqueradeRanges {
  /** This node's: only what its own pods send is masqueraded, and only here. */
  readonly own: readonly Cidr[]
  /** What goes there keeps its sender. */
  readonly cluster: readonly Cidr[]
}

/** A program that keeps rules. Each fails with CommandFailed. */
export interface MasqueradeBackend {
  readonly name: 'nftables' | 'iptables'
  /** In the place of whatever we had there; all of it or nothing, for each family. */
  write(ranges: MasqueradeRanges): Promise<void>
  /** Whether they are there, as they were written last. */
  isWhole(ranges: MasqueradeRanges): Promise<boolean>
  /** Succeeds where there are none, or the program is not there. */
  remove(): Promise<void>
}
