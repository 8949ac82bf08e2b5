import { type Address, addressFromNumber, addressNumber } from '#values/address.ts'
import { baseAddress, type Cidr, prefixLength } from '#values/cidr.ts'

// One range of addresses, divided among the nodes of a cluster: Weave's ring, as one value that all of them read, and that one
// of them at a time replaces.

export interface Ring {
  readonly range: Cidr
  /** In the order of addresses. Each owns the addresses from its own up to the next token's; the first is at the range's start. */
  readonly tokens: readonly RingToken[]
  /** Who takes part, and waits for the first division where there is none yet. */
  readonly peers: readonly RingPeer[]
  readonly requests: readonly RingRequest[]
  /** Grows with each write, so that no write leaves the stored version as it was. */
  readonly revision: number
}

export interface RingPeer {
  /** The node's name. */
  readonly name: string
  /** Of the Node object: a node that is made anew under the same name is another one. Empty where it is not known yet. */
  readonly uid: string
}

export interface RingToken extends RingPeer {
  /** The first address, as a number. */
  readonly start: number
  /** Grows by one each time the addresses change their owner: a node with an older one has lost them. */
  readonly epoch: number
}

/** A node that has run short, and whom it asks. */
export interface RingRequest extends RingPeer {
  readonly addresses: number
  /** The name of the peer that is to give some. */
  readonly of: string
  /** Those that had none to give. */
  readonly denied: readonly string[]
}

/** Addresses from `start` up to, and without, `end`. */
export interface RingRange {
  readonly start: number
  readonly end: number
}

export interface OwnedRange extends RingRange {
  readonly epoch: number
}

/** Addresses are numbers here, so no IPv6; and a range that is smaller has nothing to divide. */
export const LONGEST_PREFIX = 30

export function emptyRing(range: Cidr): Ring {
  return { range, tokens: [], peers: [], requests: [], revision: 0 }
}

export function boundsOf(range: Cidr): RingRange {
  const start = Number(addressNumber(baseAddress(range)))
  return { start, end: start + 2 ** (32 - prefixLength(range)) }
}

export function isSame(a: RingPeer, b: RingPeer): boolean {
  return a.name === b.name && a.uid === b.uid
}

/** What a token owns. */
export function ownedBy(ring: Ring, at: number): OwnedRange {
  const { start, epoch } = ring.tokens[at]!
  return { start, end: ring.tokens[at + 1]?.start ?? boundsOf(ring.range).end, epoch }
}

/** Neighbouring ranges of one epoch are one. */
export function rangesOf({ tokens, ...ring }: Ring, peer: RingPeer): readonly OwnedRange[] {
  const found: OwnedRange[] = []
  tokens.forEach((token, i) => {
    if (!isSame(token, peer)) return
    const range = ownedBy({ ...ring, tokens }, i)
    const last = found.at(-1)
    if (last?.end === range.start && last.epoch === range.epoch) found[found.length - 1] = { ...last, end: range.end }
    else found.push(range)
  })
  return found
}

/** Undefined outside of the range, and before the first division. */
export function ownerOf({ tokens, range }: Ring, address: number): RingToken | undefined {
  const { start, end } = boundsOf(range)
  if (address < start || address >= end) return undefined
  return tokens.findLast(token => token.start <= address)
}

/** What must never be, one sentence each: looked at before every write, and after every read. */
export function faultsOf({ range, tokens }: Ring): readonly string[] {
  const { start, end } = boundsOf(range)
  if (tokens.length === 0) return []
  const faults: string[] = []
  if (tokens[0]!.start !== start)
    faults.push(`the first token is at ${addressAt(tokens[0]!.start)}, not at the start of ${range}`)
  tokens.forEach((token, i) => {
    const next = tokens[i + 1]
    if (next !== undefined && next.start <= token.start) {
      faults.push(
        `the token of ${next.name} at ${addressAt(next.start)} is not behind that of ${token.name} at ${addressAt(token.start)}`,
      )
    }
    if (token.start < start || token.start >= end)
      faults.push(`${addressAt(token.start)} of ${token.name} is not in ${range}`)
    if (token.epoch < 1) faults.push(`the token of ${token.name} at ${addressAt(token.start)} has no epoch`)
  })
  return faults
}

export function addressAt(number: number): Address {
  return addressFromNumber('ipv4', BigInt(number))
}
