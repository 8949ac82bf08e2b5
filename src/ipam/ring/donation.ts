import { minus } from './journal.ts'
import type { RingPeer, RingRange, RingRequest } from './ring.ts'

// Free stretches of addresses → the one that is given to a peer that has run short: the largest aligned block that is not
// more than half of what is free. So a donor never gives itself short, and what it gives is one route.

/** `least`: a smaller block is not worth a route, and none is given then. */
export function donationOf(free: readonly RingRange[], least = 1): RingRange | undefined {
  const total = free.reduce((sum, { start, end }) => sum + end - start, 0)
  const most = 2 ** Math.floor(Math.log2(total / 2))
  if (!(most >= least)) return undefined
  let best: RingRange | undefined
  for (const range of free) {
    const block = largestBlock(range, most)
    // The upper one: a donor that gives pods the lowest addresses keeps what it uses together.
    if (block !== undefined && sizeOf(block) >= sizeOf(best)) best = block
  }
  return sizeOf(best) >= least ? best : undefined
}

export interface Gift {
  readonly range: RingRange
  readonly to: RingPeer
}

export interface Gifts {
  readonly gifts: readonly Gift[]
  /** For which nothing is left that could be given. */
  readonly refused: readonly RingRequest[]
}

/** One block for each, of what those before it have left. */
export function giftsFor(requests: readonly RingRequest[], free: readonly RingRange[], least?: number): Gifts {
  const gifts: Gift[] = []
  const refused: RingRequest[] = []
  let left = free
  for (const request of requests) {
    const block = donationOf(left, least)
    if (block === undefined) refused.push(request)
    else gifts.push({ range: block, to: { name: request.name, uid: request.uid } })
    if (block !== undefined) left = left.flatMap(range => minus(range, [block]))
  }
  return { gifts, refused }
}

/** Of the aligned blocks of the largest size that fits the last one. */
function largestBlock({ start, end }: RingRange, most: number): RingRange | undefined {
  for (let size = most; size >= 1; size /= 2) {
    const last = Math.floor(end / size) * size
    if (last - size >= start) return { start: last - size, end: last }
  }
  return undefined
}

function sizeOf(range: RingRange | undefined): number {
  return range === undefined ? 0 : range.end - range.start
}

/** An arbitrary stretch as aligned blocks, the fewest there are: one route each. */
export function blocksOf({ start, end }: RingRange): readonly RingRange[] {
  const blocks: RingRange[] = []
  for (let at = start; at < end; ) {
    let size = 1
    while (at % (size * 2) === 0 && at + size * 2 <= end) size *= 2
    blocks.push({ start: at, end: at + size })
    at += size
  }
  return blocks
}
