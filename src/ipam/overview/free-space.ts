// A range of numbers and the stretches of it that are taken → how many are free, and the largest part that could be given whole.

export interface Stretch {
  readonly first: bigint
  readonly last: bigint
}

export interface FreeSpace {
  readonly used: bigint
  readonly free: bigint
  /** The largest stretch that begins and ends as a prefix does, the lowest of several. */
  readonly block: AlignedBlock | undefined
  /** The longest free stretch, the lowest of several. */
  readonly longest: Stretch | undefined
}

export interface AlignedBlock {
  readonly base: bigint
  /** It has 2 to the power of this many numbers. */
  readonly bits: number
}

/** Stretches may overlap, be in any order, and reach beyond the range. */
export function freeSpace(range: Stretch, taken: readonly Stretch[]): FreeSpace {
  const inOrder = taken
    .filter(({ first, last }) => last >= range.first && first <= range.last)
    .toSorted((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0))
  let next = range.first
  let free = 0n
  let block: AlignedBlock | undefined
  let longest: Stretch | undefined
  const visit = (gap: Stretch): void => {
    const length = gap.last - gap.first + 1n
    free += length
    if (longest === undefined || length > longest.last - longest.first + 1n) longest = gap
    block = largestIn(gap, block)
  }
  for (const { first, last } of inOrder) {
    if (first > next) visit({ first: next, last: first - 1n })
    if (last >= next) next = last + 1n
  }
  if (next <= range.last) visit({ first: next, last: range.last })
  return { used: range.last - range.first + 1n - free, free, block, longest }
}

/** From the largest that its length allows: of one that is half as long, a stretch always has a whole one. */
function largestIn({ first, last }: Stretch, best: AlignedBlock | undefined): AlignedBlock | undefined {
  const least = best === undefined ? 0 : best.bits + 1
  for (let bits = bitsOf(last - first + 1n) - 1; bits >= least; bits--) {
    const shift = BigInt(bits)
    const base = ((first + (1n << shift) - 1n) >> shift) << shift
    if (base + (1n << shift) - 1n <= last) return { base, bits }
  }
  return best
}

function bitsOf(length: bigint): number {
  return length < 1n << 31n ? 32 - Math.clz32(Number(length)) : length.toString(2).length
}
