import { ParseError, type Place } from './parse-error.ts'
import type { Counters } from './parts.ts'

// `[12:345]` ⇄ packets and bytes. The kernel counts in 64 bits, so these are bigints.

const NOTHING: Counters = { packets: 0n, bytes: 0n }

export function readCounters(text: string, place: Place): Counters {
  if (text === '[0:0]') return NOTHING
  const match = /^\[(\d+):(\d+)\]$/.exec(text)
  if (match === null) throw new ParseError(`"${text}" are no counters: they look like [packets:bytes]`, place)
  return { packets: BigInt(match[1]!), bytes: BigInt(match[2]!) }
}

export function countersText({ packets, bytes }: Counters): string {
  return `[${packets}:${bytes}]`
}
