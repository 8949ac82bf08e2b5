import { ADDRESS_BITS, addressNumber } from '#values/address.ts'
import { baseAddress, type Cidr, cidrFamily, prefixLength } from '#values/cidr.ts'
import type { PortRange } from '#values/port-range.ts'

// A range that Services draw from → its two bands, as kube-apiserver has them: the lower one is for those who choose an
// address or port themselves, so the allocator takes from it only once the upper one is full.

export interface Bands {
  readonly first: bigint
  readonly last: bigint
  /** The first of the upper band; `first` where the range is too small to have two. */
  readonly dynamicFrom: bigint
}

interface BandRule {
  readonly divisor: bigint
  readonly most: bigint
}

const LEAST = 16n
const ADDRESSES: BandRule = { divisor: 16n, most: 256n }
const PORTS: BandRule = { divisor: 32n, most: 128n }

/** Without the network's own address, and in IPv4 without the broadcast address. */
export function clusterIPBands(cidr: Cidr): Bands {
  const family = cidrFamily(cidr)
  const size = 1n << BigInt(ADDRESS_BITS[family] - prefixLength(cidr))
  const base = addressNumber(baseAddress(cidr))
  const first = base + 1n
  const last = family === 'ipv4' ? base + size - 2n : base + size - 1n
  return { first, last, dynamicFrom: first + offset(size, ADDRESSES) }
}

export function nodePortBands(range: PortRange): Bands {
  const [first, last] = [BigInt(range.first), BigInt(range.last)]
  return { first, last, dynamicFrom: first + offset(last - first + 1n, PORTS) }
}

function offset(size: bigint, { divisor, most }: BandRule): bigint {
  if (size <= LEAST) return 0n
  const share = size / divisor
  return share < LEAST ? LEAST : share > most ? most : share
}

export function isStatic({ dynamicFrom }: Bands, value: bigint): boolean {
  return value < dynamicFrom
}

export function isInBands({ first, last }: Bands, value: bigint): boolean {
  return value >= first && value <= last
}

/** A free one: from a random place in the upper band on, then of the lower one. Undefined where none is free. */
export function freeIn(
  { first, last, dynamicFrom }: Bands,
  isTaken: (value: bigint) => boolean,
  random: () => number,
): bigint | undefined {
  return (
    freeFrom({ first: dynamicFrom, last }, isTaken, random) ??
    freeFrom({ first, last: dynamicFrom - 1n }, isTaken, random)
  )
}

function freeFrom(
  { first, last }: Pick<Bands, 'first' | 'last'>,
  isTaken: (value: bigint) => boolean,
  random: () => number,
): bigint | undefined {
  const size = last - first + 1n
  if (size <= 0n) return undefined
  // A double has 53 bits; a larger range is begun somewhere in its first part.
  const start = BigInt(Math.floor(random() * Number(size < LARGEST ? size : LARGEST)))
  for (let i = 0n; i < size; i++) {
    const value = first + ((start + i) % size)
    if (!isTaken(value)) return value
  }
  return undefined
}

const LARGEST = 1n << 48n
