import { quorum, type RingInit } from '#ipam/ring/division.ts'
import { isSame, type Ring, type RingPeer } from '#ipam/ring/ring.ts'
import type { Cidr } from '#values/cidr.ts'

// The ring → why this node has no range of it, as a sentence goes on behind a colon.

export interface RingStanding {
  readonly range: Cidr
  readonly ring: Ring | undefined
  readonly peer: RingPeer
  readonly init: RingInit
}

export function whyNone({ range, ring, peer, init }: RingStanding): string {
  if ((ring?.tokens.length ?? 0) > 0) {
    const asks = ring!.requests.find(one => isSame(one, peer))
    return asks === undefined
      ? `the ring of ${range} has no addresses of this node yet`
      : `this node has asked ${asks.of || 'the others'} for addresses of the ring of ${range}`
  }
  if (init.mode === 'observer') return `the ring of ${range} is not made yet, and an observer makes none`
  if (init.mode === 'seed') return `the ring of ${range} is not made yet`
  const there = ring?.peers.length ?? 0
  return `the ring of ${range} is not made yet: ${there} of ${init.peers} nodes are there, ${quorum(init.peers)} are needed`
}
