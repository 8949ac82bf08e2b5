import {
  isSame,
  type OwnedRange,
  ownedBy,
  type Ring,
  type RingPeer,
  type RingRange,
  type RingRequest,
  type RingToken,
} from './ring.ts'

// A ring and what one peer wants to change → the ring as it would be, or the same ring where there is nothing to change.
// A donor has stopped using addresses before it gives them away; see member.ts.

/** A node that takes part. Tokens that were cut for its name before it was there become its own. */
export function joined(ring: Ring, peer: RingPeer): Ring {
  const isNamed = ring.tokens.some(token => token.name === peer.name && token.uid === '')
  if (!isNamed && ring.peers.some(known => isSame(known, peer))) return ring
  const peers = [...ring.peers.filter(known => known.name !== peer.name), peer]
  const tokens = ring.tokens.map(token =>
    token.name === peer.name && token.uid === '' ? { ...token, ...peer } : token,
  )
  return { ...ring, peers, tokens }
}

export function requested(ring: Ring, request: RingRequest): Ring {
  const same = ring.requests.find(one => isSame(one, request))
  if (same !== undefined && JSON.stringify(same) === JSON.stringify(request)) return ring
  return { ...ring, requests: [...ring.requests.filter(one => !isSame(one, request)), request] }
}

/** The one who was asked has none to give. The same ring where it is not asked any more. */
export function denied(ring: Ring, request: RingRequest): Ring {
  if (!ring.requests.some(one => isSame(one, request) && one.of === request.of)) return ring
  return requested(ring, { ...request, of: '', denied: [...new Set([...request.denied, request.of])] })
}

export function withoutRequest(ring: Ring, peer: RingPeer): Ring {
  if (!ring.requests.some(request => isSame(request, peer))) return ring
  return { ...ring, requests: ring.requests.filter(request => !isSame(request, peer)) }
}

/**
 * The addresses go from one peer to another, in the donor's epoch and one more. The same ring where they are not the donor's
 * any longer, all of them.
 */
export function donated(ring: Ring, donation: Donation): Ring {
  const { from, to, range } = donation
  const at = ring.tokens.findIndex((token, i) => isSame(token, from) && covers(ownedBy(ring, i), range))
  if (at < 0) return ring
  const token = ring.tokens[at]!
  const owned = ownedBy(ring, at)
  const parts: readonly RingToken[] = [
    ...(owned.start < range.start ? [token] : []),
    { ...to, start: range.start, epoch: token.epoch + 1 },
    ...(range.end < owned.end ? [{ ...token, start: range.end }] : []),
  ]
  return withoutRequest({ ...ring, tokens: [...ring.tokens.slice(0, at), ...parts, ...ring.tokens.slice(at + 1)] }, to)
}

export interface Donation {
  readonly from: RingPeer
  readonly to: RingPeer
  readonly range: RingRange
}

/** All that one peer owns becomes another's: of a node that is gone, or that leaves. */
export function takenOver(ring: Ring, gone: RingPeer, heir: RingPeer): Ring {
  if (!ring.tokens.some(token => isSame(token, gone))) return withoutPeer(ring, gone)
  const tokens = ring.tokens.map(token => (isSame(token, gone) ? { ...token, ...heir, epoch: token.epoch + 1 } : token))
  return withoutPeer({ ...ring, tokens }, gone)
}

function withoutPeer(ring: Ring, gone: RingPeer): Ring {
  const kept = withoutRequest(ring, gone)
  if (!kept.peers.some(peer => isSame(peer, gone))) return kept
  return { ...kept, peers: kept.peers.filter(peer => !isSame(peer, gone)) }
}

/**
 * Neighbouring tokens of one peer become one, with the higher epoch: a ring does not grow by addresses that come back. It is
 * a change of epoch for some of them, so their owner alone makes it.
 */
export function merged(ring: Ring, peer: RingPeer): Ring {
  const tokens: RingToken[] = []
  for (const token of ring.tokens) {
    const last = tokens.at(-1)
    if (last !== undefined && isSame(last, token) && isSame(token, peer)) {
      tokens[tokens.length - 1] = { ...last, epoch: Math.max(last.epoch, token.epoch) }
    } else tokens.push(token)
  }
  return tokens.length === ring.tokens.length ? ring : { ...ring, tokens }
}

/** Who owns the addresses beside these, the one before first: to whom they go back when they are idle. */
export function neighbours(ring: Ring, range: RingRange): readonly RingPeer[] {
  const before = ring.tokens.findLast((_, i) => ownedBy(ring, i).end === range.start)
  const after = ring.tokens.find(token => token.start === range.end)
  return [before, after].flatMap(token => (token === undefined ? [] : [{ name: token.name, uid: token.uid }]))
}

/**
 * Those whose addresses begin where this peer's end: whether they are still there is for this peer to see. So each peer is
 * watched by one that is there, and each asks for few of them.
 */
export function successors({ tokens }: Ring, peer: RingPeer): readonly RingPeer[] {
  const found = new Map<string, RingPeer>()
  tokens.forEach((token, i) => {
    const { name, uid } = tokens[(i + 1) % tokens.length]!
    if (isSame(token, peer) && !isSame({ name, uid }, peer)) found.set(`${name} ${uid}`, { name, uid })
  })
  return [...found.values()]
}

function covers(outer: OwnedRange, inner: RingRange): boolean {
  return outer.start <= inner.start && inner.end <= outer.end && inner.start < inner.end
}
