import type { Database, Row } from '../database/database.ts'
import type { Lease } from '../lease-book.ts'
import { ownerColumns, ownerTexts } from './owner-texts.ts'
import { addressOfKey, familyOfKey } from './sort-key.ts'

// Leases that have ended → rows of the history, for "which pod had this address at that time".

/**
 * Ended leases that are kept. A busy node, with a new pod every ten seconds, fills them in eleven days: more than the week
 * that an incident is looked into, at some 35 MB on the disk.
 */
export const HISTORY_LIMIT = 100_000

/** A lease from `at` to `ended`. */
export interface PastLease extends Omit<Lease, 'state' | 'until'> {
  readonly ended?: number
  readonly why?: string
}

interface HistoryKey {
  readonly key: string
}

export function remember(
  database: Database,
  lease: Lease & HistoryKey,
  { at, why }: { readonly at: number; readonly why: string },
): void {
  database.run(
    `INSERT INTO history (key, network, range_set, container, ifname, pod, uid, netns, namespace_id, boot, at, ended, why)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ...[lease.key, lease.network, lease.set, lease.container, lease.ifname],
    ...ownerColumns(lease),
    ...[lease.boot, lease.at, at, why],
  )
}

/** The oldest go, as many as came: rows are numbered in their order. */
export function forgetOldest(database: Database, limit = HISTORY_LIMIT): void {
  database.run('DELETE FROM history WHERE id <= (SELECT max(id) FROM history) - ?', limit)
}

/** Of one address, the latest first. */
export function historyOf(database: Database, key: string): readonly PastLease[] {
  return database.all('SELECT * FROM history WHERE key = ? ORDER BY id DESC', key).map(pastLease)
}

/** When the first lease that is remembered ended; undefined where none was forgotten. Rows are numbered from 1. */
export function historyStart(database: Database): number | undefined {
  const row = database.get('SELECT id, ended FROM history ORDER BY id LIMIT 1')
  return row === undefined || Number(row.id) <= 1 ? undefined : Number(row.ended)
}

/** Of one start of the machine, the latest first, and at most so many of the last ones there are. */
export function historyOfBoot(database: Database, boot: string, most: number): readonly PastLease[] {
  const sql = 'SELECT * FROM (SELECT * FROM history ORDER BY id DESC LIMIT ?) WHERE boot = ?'
  return database.all(sql, most, boot).map(pastLease)
}

function pastLease(row: Row): PastLease {
  const key = String(row.key)
  return {
    ...{ address: addressOfKey(key), family: familyOfKey(key), network: String(row.network) },
    ...{ container: String(row.container), ifname: String(row.ifname), ...ownerTexts(row) },
    ...{ set: Number(row.range_set), boot: String(row.boot), at: Number(row.at) },
    ...{ ended: Number(row.ended), why: String(row.why) },
  }
}
