import fc from 'fast-check'
import { boundsOf, ownedBy, type Ring, type RingPeer, type RingRange, type RingToken } from '#ipam/ring/ring.ts'
import type { Cidr } from '#values/cidr.ts'

// Rings of sixteen addresses, so that a test can look at each of them: cut anywhere, of any peers, in any epochs.

export const RANGE = '10.32.0.0/28' as Cidr
export const [FIRST, END] = [boundsOf(RANGE).start, boundsOf(RANGE).end]
export const ADDRESSES: readonly number[] = Array.from({ length: END - FIRST }, (_, i) => FIRST + i)

export const peer = (name: string, uid = `u-${name}`): RingPeer => ({ name, uid })
/** The last two are one name: a node that was made anew. */
export const PEERS: readonly RingPeer[] = [peer('a'), peer('b'), peer('c'), peer('d'), peer('d', 'u-d2')]

export const anyPeer = fc.constantFrom(...PEERS)
/** Never empty. */
export const anyStretch: fc.Arbitrary<RingRange> = fc
  .uniqueArray(fc.integer({ min: FIRST, max: END }), { minLength: 2, maxLength: 2 })
  .map(([one, other]) => ({ start: Math.min(one!, other!), end: Math.max(one!, other!) }))

export const anyRing: fc.Arbitrary<Ring> = fc
  .record({
    cuts: fc.uniqueArray(fc.integer({ min: FIRST + 1, max: END - 1 }), { maxLength: 7 }),
    owners: fc.array(fc.tuple(anyPeer, fc.integer({ min: 1, max: 4 })), { minLength: 8, maxLength: 8 }),
    peers: fc.subarray(PEERS.slice(0, 4)),
  })
  .map(({ cuts, owners, peers }) => {
    const starts = [FIRST, ...cuts].toSorted((a, b) => a - b)
    return ringOf(peers, ...starts.map((start, i) => ({ start, ...owners[i]![0], epoch: owners[i]![1] })))
  })

export function ringOf(peers: readonly RingPeer[], ...tokens: readonly RingToken[]): Ring {
  return { range: RANGE, tokens, peers, requests: [], revision: 1 }
}

/** The token that each address belongs to, found by counting from the first one on. */
export function tokenOfEach(ring: Ring): readonly RingToken[] {
  return ADDRESSES.map(address => {
    const at = ring.tokens.findIndex((_, i) => {
      const { start, end } = ownedBy(ring, i)
      return start <= address && address < end
    })
    return ring.tokens[at]!
  })
}

/** Who has each address, and in which epoch. */
export function ownerOfEach(ring: Ring): readonly { readonly owner: RingPeer; readonly epoch: number }[] {
  return tokenOfEach(ring).map(({ name, uid, epoch }) => ({ owner: { name, uid }, epoch }))
}
