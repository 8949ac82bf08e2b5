import { type AddressSpan, allocatable, spanSize } from '#ipam/ranges/allocatable.ts'
import type { RangeSet } from '#ipam/ranges/range-set.ts'
import { type Address, addressNumber, familyOf } from '#values/address.ts'
import { conflictAddresses } from '../leaks/conflict-rows.ts'
import type { Lease, LeaseRequest, SetUsage } from '../lease-book.ts'
import { leaseRows, plainLease } from '../records/lease-rows.ts'
import { occupants, SCOPES_OF_THE_NODE } from '../records/occupants.ts'
import { foreignGateways, registeredScope, registeredSets } from '../records/range-rows.ts'
import { Runs } from '../records/runs.ts'
import { keyOfNumber } from '../records/sort-key.ts'
import { type ChangeContext, scopeOf } from './context.ts'

// Sets → what has become of their addresses, in numbers, and where none is free the leases to look at first.

type Asked = Pick<LeaseRequest, 'sets' | 'overlap'> & { readonly network: string }

const OLDEST = 5

export function usageOf(asked: Asked, context: ChangeContext): readonly SetUsage[] {
  return allocatable(asked.sets).map(spans => {
    const counts = spans.map(span => countsIn(span, asked, context))
    const sum = (count: keyof SpanCounts) => counts.reduce((total, one) => total + one[count], 0)
    const [size, assigned, cooling] = [spanSize(spans), sum('assigned'), sum('cooling')]
    const elsewhere = sum('elsewhere') + unusableIn(spans, asked, context)
    const soonest = Math.min(...counts.map(({ freeAt }) => freeAt))
    const isFull = BigInt(assigned + cooling + elsewhere) >= size
    return {
      ...{ size, assigned, cooling, elsewhere },
      ...(Number.isFinite(soonest) && { freeAt: soonest }),
      oldest: isFull ? oldestIn(spans, scopeOf(asked), context) : [],
    }
  })
}

interface SpanCounts {
  readonly assigned: number
  readonly cooling: number
  readonly elsewhere: number
  /** Infinity where none cools down. */
  readonly freeAt: number
}

interface Cooling {
  readonly own: number
  readonly isOver: number
  readonly count: number
  readonly soonest: number
}

/** STATUS asks every few seconds: only indexes are read, and the rows of leases are not. */
function countsIn(span: AddressSpan, asked: Asked, { database, now }: ChangeContext): SpanCounts {
  const [scope, network] = [scopeOf(asked), asked.network]
  const own = database.get(
    'SELECT count(*) AS count FROM lease WHERE network = ? AND key BETWEEN ? AND ? AND scope = ?',
    ...[network, ...ends(span), scope],
  )
  const cooling = database.all(
    `SELECT network = ? AS own, until <= ? AS isOver, count(*) AS count, min(until) AS soonest
     FROM lease INDEXED BY lease_until
     WHERE state = 'cooldown' AND scope = ? AND key BETWEEN ? AND ? GROUP BY 1, 2`,
    ...[network, Math.round(now), scope, ...ends(span)],
  ) as unknown as readonly Cooling[]
  const sum = (some: (count: Cooling) => boolean) => cooling.filter(some).reduce((total, one) => total + one.count, 0)
  const ownRows = Number(own?.count)
  const kept = keptIn(span, asked, { database, now })
  const count = (some: (one: Kept) => boolean) => kept.filter(some).reduce((total, one) => total + one.count, 0)
  const others = new Runs(database, scope).count(span) - ownRows - sum(one => one.own === 0 && one.isOver === 1)
  return {
    assigned: ownRows - sum(one => one.own === 1) + count(one => one.own === 1 && one.state === 'assigned'),
    cooling: sum(one => one.own === 1 && one.isOver === 0) + count(one => one.own === 1 && one.state === 'cooldown'),
    elsewhere: others + count(one => one.own === 0),
    freeAt: Math.min(
      ...cooling.flatMap(one => (one.isOver === 0 ? one.soonest : [])),
      ...kept.flatMap(one => one.soonest ?? []),
    ),
  }
}

interface Kept {
  readonly own: number
  readonly state: Lease['state']
  readonly count: number
  readonly soonest: number | null
}

/**
 * What stayed in a scope of before, and is in no run of this one: of the networks that share the node, usually none; and all of
 * a network that is to be apart from its next pod on.
 */
function keptIn(
  span: AddressSpan,
  asked: Asked,
  { database, now }: Pick<ChangeContext, 'database' | 'now'>,
): readonly Kept[] {
  const [scope, { network }] = [scopeOf(asked), asked]
  if (scope !== '' && registeredScope(database, network) === scope) return []
  const source = scope === '' ? `scope IN (SELECT ?1 UNION ${SCOPES_OF_THE_NODE})` : "scope = '' AND network = ?1"
  const isHeld = "(state = 'assigned' OR until > ?5)"
  return database.all(
    `SELECT own, state, count(*) AS count, min(until) AS soonest FROM (
       SELECT key, max(network = ?1) AS own, state, until FROM lease
       WHERE ${source} AND key BETWEEN ?3 AND ?4 AND ${isHeld} GROUP BY key
     ) AS kept
     WHERE NOT EXISTS (SELECT 1 FROM lease WHERE scope = ?2 AND key = kept.key AND ${isHeld})
     GROUP BY own, state`,
    ...[network, scope, ...ends(span), Math.round(now)],
  ) as unknown as readonly Kept[]
}

/** Gateways of other networks, and what pods use without a lease: only those that are not leased as well. */
function unusableIn(spans: readonly AddressSpan[], asked: Asked, { database, now }: ChangeContext): number {
  const place = { network: asked.network, scope: scopeOf(asked) }
  const gateways = foreignGateways(database, place.network, place.scope)
  const unusable = new Set([...gateways, ...conflictAddresses(database, place)])
  const own = [...unusable].filter(address =>
    spans.some(
      ({ family, first, last }) =>
        family === familyOf(address) && first <= addressNumber(address) && addressNumber(address) <= last,
    ),
  )
  const isOver = ({ until }: Lease) => until !== undefined && until <= Math.round(now)
  return own.filter(address => occupants(database, place, address).every(isOver)).length
}

/** One set of a network, with the address it gave last. */
export interface RegisteredUsage {
  readonly network: string
  readonly set: number
  readonly ranges: RangeSet
  readonly overlap: LeaseRequest['overlap']
  readonly usage: SetUsage
  readonly given?: Address
}

/** Of all networks, as their configurations were last seen; those whose ranges are not known are left out. */
export function registeredUsages(context: ChangeContext): readonly RegisteredUsage[] {
  const networks = Map.groupBy(registeredSets(context.database), ({ network }) => network)
  return [...networks].flatMap(([network, rows]) => {
    const sets = rows.map(({ ranges }) => ranges).filter(ranges => ranges.length > 0) as RangeSet[]
    if (sets.length < rows.length) return []
    const overlap = rows[0]!.scope === '' ? 'refuse' : 'allow'
    return usageOf({ network, sets, overlap }, context).map((usage, set): RegisteredUsage => {
      const { given } = rows[set]!
      return { network, set, ranges: sets[set]!, overlap, usage, ...(given !== undefined && { given }) }
    })
  })
}

function oldestIn(spans: readonly AddressSpan[], scope: string, { database, boot }: ChangeContext): readonly Lease[] {
  const rank = (lease: Lease) => (lease.boot === boot ? 1 : 0)
  const rows = spans.flatMap(span =>
    leaseRows(
      database,
      "WHERE scope = ? AND key BETWEEN ? AND ? AND state = 'assigned' ORDER BY boot = ?, at LIMIT ?",
      ...[scope, ...ends(span), boot, OLDEST],
    ),
  )
  return rows
    .sort((a, b) => rank(a) - rank(b) || a.at - b.at)
    .slice(0, OLDEST)
    .map(plainLease)
}

function ends({ family, first, last }: AddressSpan): readonly [string, string] {
  return [keyOfNumber(family, first), keyOfNumber(family, last)]
}
