import type { RangeSet } from '#ipam/ranges/range-set.ts'
import type { Database } from '../database/database.ts'
import type { GrantedRanges, GrantSource } from '../lease-book.ts'
import { grantSets } from '../records/range-rows.ts'

// The row that says what this node may give addresses from ⇄ its ranges.

export interface Grant extends Omit<GrantedRanges, 'revision'> {
  /** JSON, of the source alone. */
  readonly record: string
}

/** What all nodes have, as it was last seen. */
export interface SeenText {
  readonly text: string
  /** Milliseconds since the epoch. */
  readonly at: number
}

export function grantIn(database: Database): (Grant & GrantedRanges) | undefined {
  const row = database.get('SELECT source, sets, why, record, revision FROM granted')
  if (row === undefined) return undefined
  return {
    source: String(row.source) as GrantSource,
    // Only the function below writes it.
    sets: JSON.parse(String(row.sets)) as readonly RangeSet[],
    why: String(row.why),
    record: String(row.record),
    revision: Number(row.revision),
  }
}

export function grantedIn(database: Database): GrantedRanges | undefined {
  const grant = grantIn(database)
  if (grant === undefined) return undefined
  const { record: _, ...granted } = grant
  return granted
}

export function grantedRevision(database: Database): number | undefined {
  const row = database.get('SELECT revision FROM granted')
  return row === undefined ? undefined : Number(row.revision)
}

/** From this transaction on no address is given from anything else. */
export function keepGrant(database: Database, grant: Grant): void {
  const [before, sets] = [grantIn(database), JSON.stringify(grant.sets)]
  const isSame = before !== undefined && JSON.stringify(before.sets) === sets
  const revision = (before?.revision ?? 0) + (isSame ? 0 : 1)
  database.run(
    `INSERT INTO granted (id, source, sets, why, record, seen, seen_at, revision) VALUES (1, ?, ?, ?, ?, '', 0, ?)
     ON CONFLICT DO UPDATE SET source = excluded.source, sets = excluded.sets, why = excluded.why,
       record = excluded.record, revision = excluded.revision`,
    ...[grant.source, sets, grant.why, grant.record, revision],
  )
  if (!isSame) grantSets(database, grant.sets)
}

/** Configurations alone say it from here on. */
export function dropGrant(database: Database): void {
  database.run('DELETE FROM granted')
  database.run('UPDATE range SET granted = 0 WHERE granted <> 0')
}

export function seenIn(database: Database): SeenText | undefined {
  const row = database.get("SELECT seen, seen_at FROM granted WHERE seen <> ''")
  return row === undefined ? undefined : { text: String(row.seen), at: Number(row.seen_at) }
}

export function keepSeen(database: Database, { text, at }: SeenText): void {
  database.run('UPDATE granted SET seen = ?, seen_at = ?', text, Math.round(at))
}
