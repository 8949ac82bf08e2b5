import type { SetUsage } from '#ipam/leases/lease-book.ts'

// The counts of a range set → how much of it is free, and how full it is.

/** What cools down does not count as free, nor what another network uses. */
export function freeOf({ size, assigned, cooling, elsewhere }: SetUsage): bigint {
  const free = size - BigInt(assigned + cooling + elsewhere)
  return free > 0n ? free : 0n
}

/** In per cent, rounded down: 100 only where none is free, which is what STATUS reports as 50. */
export function fullness(usage: SetUsage): number {
  const free = freeOf(usage)
  return usage.size === 0n ? 100 : Number(((usage.size - free) * 1000n) / usage.size) / 10
}

/** From here on an operator has to do something, while pods still get addresses. */
export const NEARLY_FULL = 90
