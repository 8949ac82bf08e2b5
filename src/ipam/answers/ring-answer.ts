import type { SeenRing } from '#ipam/leases/lease-view.ts'
import { addressesOf } from '#ipam/ring/removal.ts'
import { boundsOf, type Ring, type RingPeer } from '#ipam/ring/ring.ts'
import { keyOf, ringStatus } from '#ipam/ring/ring-status.ts'
import { ringOf } from '#ipam/ring/ring-text.ts'
import { roundedDuration } from '#values/duration.ts'

// The ring as this node last read it → who owns how much, as `weave status ipam` shows it.

export function ringAnswer(seen: SeenRing, now: number): string {
  const ring = ringIn(seen)
  if (typeof ring === 'string') return ring
  const title = `# ring ${ring.range}, as this node knows it for ${roundedDuration(Math.max(0, now - seen.at))}`
  if (ring.tokens.length === 0) return `${title}: not made yet, ${ring.peers.length} nodes are there`
  return [title, ...ringStatus({ ring, self: selfIn(ring, seen), active: seen.active })].join('\n')
}

export function ringJson(seen: SeenRing): object | undefined {
  const ring = ringIn(seen)
  if (typeof ring === 'string') return undefined
  const { start, end } = boundsOf(ring.range)
  const self = keyOf(selfIn(ring, seen))
  const peers = [...new Map(ring.tokens.map(({ name, uid }) => [keyOf({ name, uid }), { name, uid }])).values()]
  const shown = peers.map(peer => ({
    ...peer,
    addresses: addressesOf(ring, peer),
    ...(keyOf(peer) === self && { active: seen.active }),
  }))
  return { range: ring.range, size: end - start, at: new Date(seen.at).toISOString(), peers: shown }
}

function ringIn({ text }: SeenRing): Ring | string {
  const ring = ringOf(text)
  return typeof ring === 'string' ? `the ring cannot be read: ${ring}` : ring
}

function selfIn({ peers, tokens }: Ring, { uid }: SeenRing): RingPeer {
  const known = [...peers, ...tokens].find(peer => peer.uid === uid)
  return { name: known?.name ?? 'this node', uid }
}
