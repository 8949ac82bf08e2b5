import type { AddressConflict } from '#ipam/leases/leaks/leak-book.ts'
import type { Lease } from '#ipam/leases/lease-book.ts'
import type { NetworkLeases } from '#ipam/leases/lease-view.ts'
import type { AddressRange } from '#ipam/ranges/range-set.ts'
import { ADDRESS_BITS, type Address, addressFromNumber, addressNumber, type Family, familyOf } from '#values/address.ts'
import { baseAddress, cidrFamily, prefixLength } from '#values/cidr.ts'
import { doubtOf, type LeaseDoubt, userOf } from './doubts.ts'

// The leases of a network and of its neighbours → a row for each address of its ranges, and one for each stretch of free ones.

export type AddressStatus = 'ASSIGNED' | 'COOLDOWN' | 'RESERVED' | 'FREE' | LeaseDoubt['status']

export interface AddressRow {
  readonly family: Family
  readonly first: bigint
  /** Other than the first only where addresses are free. */
  readonly last: bigint
  readonly status: AddressStatus
  readonly lease?: Lease
  /** Why an address is reserved, or its lease in doubt. */
  readonly reason?: string
  /** The address was given from ranges that the network no longer has. */
  readonly isOutside?: true
}

/** In the order of addresses, IPv4 first. */
export function addressRows(network: NetworkLeases, all: readonly NetworkLeases[]): readonly AddressRow[] {
  const spans = spansOf(network)
  const isInside = (row: AddressRow) => spans.some(span => span.family === row.family && covers(span, row.first))
  const own = network.leases.map(lease => ({ ...leaseRow(lease), ...doubtOf(lease, network) }))
  // Of several reasons the first counts: what is held is held.
  const taken = [
    ...own.map(row => (isInside(row) || spans.length === 0 ? row : { ...row, isOutside: true as const })),
    ...(network.conflicts ?? []).map(conflictRow),
    ...reservedBy(network.sets.flat()).filter(isInside),
    ...(network.overlap === 'allow' ? [] : neighbours(network, all).filter(isInside)),
  ]
  const rows = [...new Map(taken.toReversed().map(row => [`${row.family} ${row.first}`, row])).values()].sort(inOrder)
  return [...rows, ...spans.flatMap(span => freeIn(span, rows))].sort(inOrder)
}

type Span = Pick<AddressRow, 'family' | 'first' | 'last'>

/** Ranges of several sets may not overlap, so there are no two rows for one address. */
function spansOf({ sets }: NetworkLeases): readonly Span[] {
  return sets.flat().map(({ start, end }) => ({
    family: familyOf(start),
    first: addressNumber(start),
    last: addressNumber(end),
  }))
}

function leaseRow(lease: Lease): AddressRow {
  const number = addressNumber(lease.address)
  const status = lease.state === 'assigned' ? 'ASSIGNED' : 'COOLDOWN'
  return { family: lease.family, first: number, last: number, status, lease }
}

function conflictRow({ address, ...user }: AddressConflict): AddressRow {
  return { ...reserved(address, `in use by ${userOf(user)}`), status: 'CONFLICT' }
}

/** Gateways, the network's own address, and the broadcast address of IPv4. */
function reservedBy(ranges: readonly AddressRange[]): readonly AddressRow[] {
  return ranges.flatMap(({ subnet, gateway }) => {
    const family = cidrFamily(subnet)
    const base = addressNumber(baseAddress(subnet))
    const last = base + (1n << BigInt(ADDRESS_BITS[family] - prefixLength(subnet))) - 1n
    return [
      reserved(gateway, 'gateway'),
      reserved(addressFromNumber(family, base), 'network address'),
      ...(family === 'ipv4' ? [reserved(addressFromNumber(family, last), 'broadcast address')] : []),
    ]
  })
}

/** What other networks hold, which this one then does not give. */
function neighbours(network: NetworkLeases, all: readonly NetworkLeases[]): readonly AddressRow[] {
  return all
    .filter(other => other.network !== network.network && other.overlap === 'refuse')
    .flatMap(other => [
      ...other.leases.map(lease => reserved(lease.address, `network ${other.network}`)),
      ...(other.conflicts ?? []).map(used =>
        reserved(used.address, `in use by ${userOf(used)} of network ${other.network}`),
      ),
      ...other.sets.flat().map(({ gateway }) => reserved(gateway, `gateway of network ${other.network}`)),
    ])
}

function reserved(address: Address, reason: string): AddressRow {
  const number = addressNumber(address)
  return { family: familyOf(address), first: number, last: number, status: 'RESERVED', reason }
}

/** The stretches between the rows, which are in order. */
function freeIn({ family, first, last }: Span, rows: readonly AddressRow[]): readonly AddressRow[] {
  const free: AddressRow[] = []
  let next = first
  for (const row of rows) {
    if (row.family !== family || row.first < next || row.first > last) continue
    if (row.first > next) free.push({ family, first: next, last: row.first - 1n, status: 'FREE' })
    next = row.last + 1n
  }
  return next <= last ? [...free, { family, first: next, last, status: 'FREE' }] : free
}

function covers({ first, last }: Span, value: bigint): boolean {
  return first <= value && value <= last
}

function inOrder(a: AddressRow, b: AddressRow): number {
  if (a.family !== b.family) return a.family === 'ipv4' ? -1 : 1
  return a.first < b.first ? -1 : a.first > b.first ? 1 : 0
}
