import { type Address, addressFromNumber, addressNumber, type Family, familyOf } from '#values/address.ts'
import type { AddressSpan } from './allocatable.ts'

// The spans of a range set, and the address given last → the next one that is free, in a circle through all of them.

/** The addresses of one family that cannot be given now, as a storage that keeps them as runs can answer for it. */
export interface TakenView {
  /** The last address of the unbroken run of taken ones that this one lies in; undefined where it is free. */
  runEnd(value: bigint): bigint | undefined
}

/** Undefined where all are taken. The address given last comes last, so a released address rests as long as there are others. */
export function nextFree(
  spans: readonly AddressSpan[],
  given: Address | undefined,
  taken: TakenView,
): Address | undefined {
  for (const { family, first, last } of inTurn(spans, given)) {
    const free = firstFree(first, last, taken)
    if (free !== undefined) return addressFromNumber(family, free)
  }
  return undefined
}

/** All spans once, from the address after the one given last round to that one itself. */
function inTurn(spans: readonly AddressSpan[], given: Address | undefined): readonly AddressSpan[] {
  if (given === undefined) return spans
  const family: Family = familyOf(given)
  const number = addressNumber(given)
  const at = spans.findIndex(span => span.family === family && span.first <= number && number <= span.last)
  if (at < 0) return spans
  const { first, last } = spans[at]!
  return [
    { family, first: number + 1n, last },
    ...spans.slice(at + 1),
    ...spans.slice(0, at),
    { family, first, last: number },
  ]
}

/** Two questions at most, whatever is taken: behind a run comes an address that is free. */
function firstFree(first: bigint, last: bigint, taken: TakenView): bigint | undefined {
  const end = first <= last ? taken.runEnd(first) : last
  const free = end === undefined ? first : end + 1n
  return free <= last ? free : undefined
}
