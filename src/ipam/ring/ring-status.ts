import { boundsOf, ownedBy, type Ring, type RingPeer } from './ring.ts'

// A ring → the lines of `weave status ipam`: who owns how much, this node first.

export interface RingView {
  readonly ring: Ring
  readonly self: RingPeer
  /** Addresses in use on this node. */
  readonly active: number
  /** Peers whose nodes are there; undefined where it is not known. */
  readonly reachable?: ReadonlySet<string>
}

export function ringStatus({ ring, self, active, reachable }: RingView): readonly string[] {
  const { start, end } = boundsOf(ring.range)
  const total = end - start
  const sizes = new Map<string, number>()
  ring.tokens.forEach((token, i) => {
    const range = ownedBy(ring, i)
    const key = keyOf(token)
    sizes.set(key, (sizes.get(key) ?? 0) + range.end - range.start)
  })
  const line = (key: string, size: number, rest: string): string => {
    const share = ((100 * size) / total).toFixed(1).padStart(4, '0')
    return `${key.padEnd(37)} ${String(size).padStart(8)} IPs (${share}% of total)${rest}`
  }
  const own = keyOf(self)
  const others = [...sizes].filter(([key]) => key !== own).sort(([a], [b]) => (a < b ? -1 : 1))
  return [
    line(own, sizes.get(own) ?? 0, ` (${active} active)`),
    ...others.map(([key, size]) =>
      line(key, size, reachable !== undefined && !reachable.has(key) ? ' - unreachable!' : ''),
    ),
  ]
}

/** `uid(name)`, as Weave shows a peer. */
export function keyOf({ name, uid }: RingPeer): string {
  return uid === '' ? name : `${uid}(${name})`
}
