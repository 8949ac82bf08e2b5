import { boundsOf, type Ring, type RingPeer, type RingRange, type RingToken } from './ring.ts'

// A range and the peers that are there when it is first divided → their shares: halves of halves, so that each is a power of
// two and aligned. Two to the k peers get the same; otherwise some get twice what others get.

/** By how many registered peers a ring may be made: Weave's `--ipalloc-init`. */
export type RingInit =
  /** More than half of so many. */
  | { readonly mode: 'consensus'; readonly peers: number }
  /** These, whether or not they are there: every one of them would make the same ring. */
  | { readonly mode: 'seed'; readonly names: readonly string[] }
  /** Never makes one. */
  | { readonly mode: 'observer' }

/** Undefined while it cannot be divided. */
export function divided(ring: Ring, init: RingInit): Ring | undefined {
  if (ring.tokens.length > 0) return undefined
  const peers = foundersOf(ring, init)
  if (peers === undefined || peers.length === 0) return undefined
  const sorted = peers.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return { ...ring, tokens: halved(boundsOf(ring.range), sorted) }
}

export function quorum(peers: number): number {
  return Math.floor(peers / 2) + 1
}

function foundersOf({ peers }: Ring, init: RingInit): readonly RingPeer[] | undefined {
  if (init.mode === 'observer') return undefined
  if (init.mode === 'consensus') return peers.length >= quorum(init.peers) ? peers : undefined
  const uids = new Map(peers.map(({ name, uid }) => [name, uid]))
  return [...new Set(init.names)].map(name => ({ name, uid: uids.get(name) ?? '' }))
}

/** The lower half of the addresses to the first half of the peers; of an odd number the second half is the larger one. */
function halved({ start, end }: RingRange, peers: readonly RingPeer[]): readonly RingToken[] {
  const [first] = peers
  if (first === undefined) return []
  if (peers.length === 1 || end - start < 2) return [{ ...first, start, epoch: 1 }]
  const [middle, half] = [start + (end - start) / 2, Math.floor(peers.length / 2)]
  return [...halved({ start, end: middle }, peers.slice(0, half)), ...halved({ start: middle, end }, peers.slice(half))]
}
