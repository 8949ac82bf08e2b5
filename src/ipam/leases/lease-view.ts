import type { RangeSet } from '#ipam/ranges/range-set.ts'
import type { Address } from '#values/address.ts'
import type { ChangeContext, NamespaceWitness } from './changes/context.ts'
import { type NextAddress, nextAddresses } from './changes/next-addresses.ts'
import { type RegisteredUsage, registeredUsages } from './changes/usage.ts'
import { Database } from './database/database.ts'
import { grantIn, type SeenText, seenIn } from './grants/granted-row.ts'
import { conflictsIn } from './leaks/conflict-rows.ts'
import type { AddressConflict, Suspicion } from './leaks/leak-book.ts'
import { suspicionsIn } from './leaks/suspicion-rows.ts'
import type { GrantedRanges, Lease, LeaseRequest } from './lease-book.ts'
import { historyOf, historyStart, type PastLease } from './records/history-rows.ts'
import { type LeaseRow, leaseRows, leasesOfAddress, oldestLease, plainLease } from './records/lease-rows.ts'
import { grantedNetworks, type RegisteredSet, registeredSets } from './records/range-rows.ts'
import { sortKey } from './records/sort-key.ts'
import { namespaceAt } from './witness.ts'

// The database of leases, read beside all who write → what people ask: who has which address, and who had it.

export interface NetworkLeases {
  readonly network: string
  readonly overlap: LeaseRequest['overlap']
  /** As its configuration was last seen; none where the leases came from another program's directory. */
  readonly sets: readonly (RangeSet | readonly [])[]
  /** The address each set gave last. */
  readonly given: readonly (Address | undefined)[]
  /** In the order of addresses; what has cooled down is left out. */
  readonly leases: readonly Lease[]
  /** Attachments that no witness named when they were last looked at. */
  readonly suspicions?: readonly Suspicion[]
  /** Addresses that its pods use without a lease. */
  readonly conflicts?: readonly AddressConflict[]
}

/** By name, at one moment; undefined where there is no database yet. Fails with LeaseStoreFailed. */
export function readLeases(path: string, now: number): readonly NetworkLeases[] | undefined {
  return looking(path, database => networksOf(database, leaseRows(database, `${HOLDS} ORDER BY key`, Math.round(now))))
}

/** The same with the leases of this address alone. */
export function readLeasesOf(path: string, address: Address, now: number): readonly NetworkLeases[] | undefined {
  return looking(path, database => {
    const rows = leasesOfAddress(database, address)
    return networksOf(
      database,
      rows.filter(({ state, until = 0 }) => state === 'assigned' || until > Math.round(now)),
    )
  })
}

const HOLDS = "WHERE (state = 'assigned' OR until > ?)"

function networksOf(database: Database, rows: readonly LeaseRow[]): readonly NetworkLeases[] {
  const sets = Map.groupBy(registeredSets(database), ({ network }) => network)
  const leases = Map.groupBy(rows, ({ network }) => network)
  const [suspicions, conflicts] = [suspicionsIn(database), conflictsIn(database)]
  const isOf = (name: string) => (one: { readonly network: string }) => one.network === name
  const names = new Set([...sets.keys(), ...leases.keys(), ...conflicts.map(({ network }) => network)])
  return [...names].sort().map(network => {
    const own = bySet(sets.get(network) ?? [])
    return {
      network,
      overlap: (sets.get(network)?.[0]?.scope ?? leases.get(network)?.[0]?.scope ?? '') === '' ? 'refuse' : 'allow',
      sets: own.map(set => set?.ranges ?? []),
      given: own.map(set => set?.given),
      leases: (leases.get(network) ?? []).map(plainLease),
      suspicions: suspicions.filter(isOf(network)),
      conflicts: conflicts.filter(isOf(network)),
    }
  })
}

/** Each at its number: of a directory that was read, those before it may have given no address yet. */
function bySet(rows: readonly RegisteredSet[]): readonly (RegisteredSet | undefined)[] {
  const count = Math.max(0, ...rows.map(({ set }) => set + 1))
  return Array.from({ length: count }, (_, set) => rows.find(row => row.set === set))
}

/** Each holder the address has had, as far back as history goes, the latest first; a lease that goes on has no end. */
export function readHolders(path: string, address: Address): readonly PastLease[] | undefined {
  return looking(path, database => {
    const now = leasesOfAddress(database, address).filter(({ state }) => state === 'assigned')
    return [...now.map(plainLease), ...historyOf(database, sortKey(address))]
  })
}

/** When it is looked, and of which start of the machine: leases of an earlier one may be left over. */
export interface LookMoment {
  readonly path: string
  readonly now: number
  /** Empty where the machine does not say. */
  readonly boot: string
  readonly witness?: NamespaceWitness
}

export interface SetStatus extends RegisteredUsage {
  /** Of the oldest lease. */
  readonly since?: number
}

/** How full each set is. */
export function readUsages(moment: LookMoment): readonly SetStatus[] | undefined {
  return looking(moment.path, database =>
    registeredUsages(contextOf(database, moment)).map(set => {
      const since = oldestLease(database, set)
      return { ...set, ...(since !== undefined && { since }) }
    }),
  )
}

/** The address that the next pod gets of each set. */
export function readNext(moment: LookMoment): readonly NextAddress[] | undefined {
  return looking(moment.path, database => nextAddresses(contextOf(database, moment)))
}

/** Of leases that have ended, when the first that is still known did; undefined where none was forgotten. */
export function readHistoryStart(path: string): number | undefined {
  return looking(path, historyStart)
}

/** The ring as this node last read it. */
export interface SeenRing extends SeenText {
  /** Of this node's Node object. */
  readonly uid: string
  /** Addresses that pods of this node have of it. */
  readonly active: number
}

/** Undefined where this node takes part in none. */
export function readRing(path: string): SeenRing | undefined {
  return looking(path, database => {
    const [grant, seen] = [grantIn(database), seenIn(database)]
    if (grant?.source !== 'ring' || seen === undefined) return undefined
    const { uid } = JSON.parse(grant.record) as { readonly uid: string }
    const active = grantedNetworks(database).flatMap(({ network }) =>
      leaseRows(database, "WHERE network = ? AND state = 'assigned'", network),
    )
    return { ...seen, uid, active: active.length }
  })
}

/** What this node may give addresses from; undefined where only configurations say. */
export function readGrant(path: string): GrantedRanges | undefined {
  return looking(path, grantIn)
}

function contextOf(database: Database, { now, boot, witness = namespaceAt }: LookMoment): ChangeContext {
  return { database, now, boot, witness }
}

function looking<T>(path: string, look: (database: Database) => T): T | undefined {
  const database = Database.look(path)
  if (database === undefined) return undefined
  try {
    return database.read(() => look(database))
  } finally {
    database.close()
  }
}
