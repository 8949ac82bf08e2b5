import { type OwnedRange, type Ring, type RingPeer, type RingRange, rangesOf } from './ring.ts'

// What a node knows durably of its own part of the ring, and what it learns when it reads the ring again.

export interface Journal {
  readonly ranges: readonly OwnedRange[]
  /** Parts of them that are being given away: nothing is given from them to pods. */
  readonly fences: readonly Fence[]
}

/**
 * A write that gives it away was sent when the stored ring had this version. While it still has, the write may yet arrive,
 * even if its sender was ended or got no answer; with any other version it has arrived, or never will.
 */
export interface Fence extends RingRange {
  readonly version: string
}

export const NOTHING_KNOWN: Journal = { ranges: [], fences: [] }

export interface Learned {
  /** The one before, where nothing is new. */
  readonly journal: Journal
  readonly ring: Ring | undefined
  readonly gained: readonly OwnedRange[]
  /** What was ours and is not, though we did not give it: another took it over. Pods that have addresses there may meet others. */
  readonly lost: readonly OwnedRange[]
}

export interface LearnedParts {
  readonly before: Journal
  readonly ring: Ring | undefined
  readonly version: string
  readonly peer: RingPeer
  /** What this process is about to give away, whatever the version. */
  readonly giving: readonly RingRange[]
}

/** In place of an older fence around the same addresses. */
export function withFence(journal: Journal, fence: Fence): Journal {
  return { ...journal, fences: [...journal.fences.filter(other => !isEqual(other, fence)), fence] }
}

export function learned({ before, ring, version, peer, giving }: LearnedParts): Learned {
  // A ring that is not there yet takes nothing away.
  if (ring === undefined || ring.tokens.length === 0) return { journal: before, ring, gained: [], lost: [] }
  const ranges = rangesOf(ring, peer)
  const stays = (fence: Fence): boolean => fence.version === version || giving.some(range => isEqual(range, fence))
  const fences = before.fences.filter(stays)
  const gained = ranges.flatMap(range => minus(range, before.ranges))
  const lost = before.ranges.flatMap(range => minus(range, [...ranges, ...before.fences]))
  const isKnown = JSON.stringify([ranges, fences]) === JSON.stringify([before.ranges, before.fences])
  return { journal: isKnown ? before : { ranges, fences }, ring, gained, lost }
}

/** What is left of a range without others. */
export function minus<R extends RingRange>(range: R, others: readonly RingRange[]): readonly R[] {
  let left: readonly R[] = [range]
  for (const other of others) {
    left = left.flatMap(part => {
      if (other.end <= part.start || part.end <= other.start) return [part]
      return [
        { ...part, end: Math.max(part.start, other.start) },
        { ...part, start: Math.min(part.end, other.end) },
      ].filter(({ start, end }) => start < end)
    })
  }
  return left
}

function isEqual(a: RingRange, b: RingRange): boolean {
  return a.start === b.start && a.end === b.end
}
