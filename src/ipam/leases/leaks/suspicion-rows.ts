import type { Database } from '../database/database.ts'
import { type Holder, holderKey } from '../lease-book.ts'
import type { Suspicion } from './leak-book.ts'

// Rows of the table of sightings ⇄ suspicions.

export function suspicionsIn(database: Database): readonly Suspicion[] {
  return suspicionsWhere(database, 'true ORDER BY network, container, ifname')
}

/** `rest` is what stands behind WHERE. */
export function suspicionsWhere(database: Database, rest: string, ...values: readonly string[]): readonly Suspicion[] {
  return database.all(`SELECT * FROM sighting WHERE ${rest}`, ...values).map(row => ({
    ...{ network: String(row.network), container: String(row.container), ifname: String(row.ifname) },
    ...{ at: Number(row.at), count: Number(row.count), since: Number(row.since), last: Number(row.last) },
    ...{ verdict: row.verdict === 'leaked' ? 'leaked' : 'suspect', why: String(row.why) },
  }))
}

/** What makes of these rows those; nothing where they are the same. */
export function suspicionChanges(
  database: Database,
  known: readonly Suspicion[],
  next: readonly Suspicion[],
): readonly (() => void)[] {
  const before = new Map(known.map(one => [holderKey(one), one]))
  const kept = new Set(next.map(holderKey))
  const ended = known.filter(one => !kept.has(holderKey(one)))
  const changed = next.map(rounded).filter(one => !isSame(before.get(holderKey(one)), one))
  return [
    ...ended.map(one => () => forgetSuspicion(database, one)),
    ...changed.map(one => () => keepSuspicion(database, one)),
  ]
}

function isSame(before: Suspicion | undefined, one: Suspicion): boolean {
  return (
    before !== undefined &&
    (['at', 'count', 'since', 'last', 'verdict', 'why'] as const).every(field => before[field] === one[field])
  )
}

function rounded(one: Suspicion): Suspicion {
  return { ...one, at: Math.round(one.at), since: Math.round(one.since), last: Math.round(one.last) }
}

function keepSuspicion(database: Database, suspicion: Suspicion): void {
  const { network, container, ifname, at, count, since, last, verdict, why } = suspicion
  database.run(
    `INSERT OR REPLACE INTO sighting (network, container, ifname, at, count, since, last, verdict, why)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ...[network, container, ifname, at, count, since, last, verdict, why],
  )
}

export function forgetSuspicion(database: Database, { network, container, ifname }: Holder): void {
  database.run('DELETE FROM sighting WHERE network = ? AND container = ? AND ifname = ?', network, container, ifname)
}
