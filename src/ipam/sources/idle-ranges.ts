import type { RingRange } from '#ipam/ring/ring.ts'

/** Stretches of which nothing is used, beside the largest that is used: what a donation brought, and is not needed any more. */
export function idleRanges(
  owned: readonly RingRange[],
  freeIn: (ranges: readonly RingRange[]) => readonly RingRange[],
): readonly RingRange[] {
  const looked = owned.map(range => ({ range, free: size(freeIn([range])), all: range.end - range.start }))
  const idle = looked.filter(({ free, all }) => free === all)
  const kept = looked.filter(({ free, all }) => free < all)
  // A quarter of what is kept must be free: a range that goes back is not to be asked for again soon.
  const [free, all] = [sum(kept.map(one => one.free)), sum(kept.map(one => one.all))]
  return kept.length > 0 && free >= all / 4 ? idle.map(({ range }) => range) : []
}

function size(ranges: readonly RingRange[]): number {
  return sum(ranges.map(({ start, end }) => end - start))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}
