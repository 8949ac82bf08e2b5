import type { NetworkRoute } from '#system/network/network.ts'

// A route of the kernel and one that was laid → whether they are the same in all that was asked for.

export function isLaid(found: NetworkRoute, wanted: NetworkRoute): boolean {
  const named = Object.entries(wanted) as readonly (readonly [keyof NetworkRoute, unknown])[]
  return named.every(([key, value]) => found[key] === value)
}
