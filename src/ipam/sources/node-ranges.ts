import { blocksOf } from '#ipam/ring/donation.ts'
import { type Ring, type RingPeer, type RingRange, rangesOf } from '#ipam/ring/ring.ts'
import type { Node } from '#kubernetes/objects.ts'
import { addressFromNumber } from '#values/address.ts'
import { type Cidr, prefixOf } from '#values/cidr.ts'

// Node objects, or the ring → which node has which ranges: what routes to other nodes are made of.

export interface NodeRanges {
  /** The node's name. */
  readonly name: string
  /** Of the Node object: a node made anew under the same name is another one. Empty where it has not joined the ring yet. */
  readonly uid: string
  /** Aligned blocks in the order of addresses; of both families where they come from the Node. No two nodes of one picture share one. */
  readonly ranges: readonly Cidr[]
  /** The newest of its ranges' epochs; always 1 where they come from the Node, whose ranges never change. */
  readonly epoch: number
}

/** Each value is all that is known then, this node included, in the order of names. The first comes once that is everything. */
export type NodeRangesSource = (signal: AbortSignal) => AsyncIterable<readonly NodeRanges[]>

export function rangesOfNodes(nodes: readonly Pick<Node, 'name' | 'uid' | 'podCIDRs'>[]): readonly NodeRanges[] {
  return nodes
    .filter(({ podCIDRs }) => podCIDRs.length > 0)
    .map(({ name, uid, podCIDRs }) => ({ name, uid, ranges: podCIDRs, epoch: 1 }))
    .sort(byName)
}

export function rangesOfRing(ring: Ring): readonly NodeRanges[] {
  const owners = new Map<string, RingPeer>()
  for (const { name, uid } of ring.tokens) owners.set(`${name} ${uid}`, { name, uid })
  return [...owners.values()]
    .map(peer => {
      const owned = rangesOf(ring, peer)
      return { ...peer, ranges: owned.flatMap(cidrsOf), epoch: Math.max(...owned.map(({ epoch }) => epoch)) }
    })
    .sort(byName)
}

/** A stretch of IPv4 addresses as the fewest aligned blocks. */
export function cidrsOf(range: RingRange): readonly Cidr[] {
  return blocksOf(range).map(({ start, end }) =>
    prefixOf(addressFromNumber('ipv4', BigInt(start)), 32 - Math.log2(end - start)),
  )
}

function byName(a: NodeRanges, b: NodeRanges): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1
  return a.uid < b.uid ? -1 : 1
}
