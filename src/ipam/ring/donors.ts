import { ownedBy, type Ring, type RingPeer } from './ring.ts'

// A ring → the name of a peer that may have addresses to give: the more it owns, the likelier it is chosen.

export interface DonorChoice {
  /** Who asks. */
  readonly peer: RingPeer
  /** Names of peers that were asked already. */
  readonly except: readonly string[]
  /** From 0 up to 1. */
  readonly random: () => number
}

/** Undefined where all were asked. */
export function donorOf(ring: Ring, { peer, except, random }: DonorChoice): string | undefined {
  const sizes = new Map<string, number>()
  ring.tokens.forEach(({ name }, i) => {
    if (name === peer.name || except.includes(name)) return
    const { start, end } = ownedBy(ring, i)
    sizes.set(name, (sizes.get(name) ?? 0) + end - start)
  })
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0)
  let at = random() * total
  for (const [name, size] of sizes) {
    at -= size
    if (at < 0) return name
  }
  return undefined
}
