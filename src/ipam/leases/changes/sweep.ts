import type { Database } from '../database/database.ts'
import { deleteLease, endLease, type LeaseRow, leaseRows } from '../records/lease-rows.ts'
import { Runs } from '../records/runs.ts'
import { type ChangeContext, isLeftOver, LEFT_OVER } from './context.ts'

// Leases that hold an address for no pod any more → addresses that are free again. Each answers how many there were.

/** As many as a `take` ends: more than one release makes, so that what has cooled down never piles up, and few enough to cost nothing. */
export const EXPIRED_AT_ONCE = 8

type Moment = Pick<ChangeContext, 'database' | 'now'>

/** Cooled down by now; those that were due first go first. */
export function endExpired(context: Moment, most: number): number {
  const rows = expired(context, most)
  for (const lease of rows) deleteLease(context.database, lease)
  return rows.length
}

/** What `endExpired` ends. */
export function expired({ database, now }: Moment, most: number): readonly LeaseRow[] {
  const due = leaseRows(
    database,
    `WHERE state = 'cooldown' AND until <= ? ORDER BY until LIMIT ${most}`,
    Math.round(now),
  )
  return [...due, ...ofTheFuture({ database, now }, most)]
}

/** More than a clock is corrected by while it runs. */
const CLOCK_STEP_MS = 60_000

/** Released at a time that is yet to come: the clock was set back, perhaps by years, and that long they would cool down. */
function ofTheFuture({ database, now }: Moment, most: number): readonly LeaseRow[] {
  const latest = "WHERE state = 'cooldown' ORDER BY until DESC LIMIT 1"
  if (leaseRows(database, latest).every(({ at }) => at <= now + CLOCK_STEP_MS)) return []
  return leaseRows(database, "WHERE state = 'cooldown' AND at > ? LIMIT ?", Math.round(now) + CLOCK_STEP_MS, most)
}

/** Of an earlier boot, all of the scope. */
export function endLeftOvers(context: ChangeContext, scope: string): number {
  return endAll(leftOvers(context, scope), context).length
}

/** What `endLeftOvers` ends. */
export function leftOvers(context: ChangeContext, scope: string): readonly LeaseRow[] {
  if (context.boot === '') return []
  const rows = leaseRows(
    context.database,
    "WHERE scope = ? AND state = 'assigned' AND boot <> ? AND boot <> ''",
    ...[scope, context.boot],
  )
  return rows.filter(lease => isLeftOver(lease, context))
}

export interface SweepPart {
  readonly ended: readonly LeaseRow[]
  /** Where to go on; absent at the end. */
  readonly next?: Pick<LeaseRow, 'scope' | 'key'>
}

/** The same for all scopes, a part at a time: thousands may have been left, and pods wait meanwhile. */
export function endSomeLeftOvers(
  context: ChangeContext,
  from: Pick<LeaseRow, 'scope' | 'key'>,
  most: number,
): SweepPart {
  if (context.boot === '') return { ended: [] }
  const rows = leaseRows(
    context.database,
    "WHERE (scope, key) > (?, ?) AND state = 'assigned' AND boot <> ? AND boot <> '' ORDER BY scope, key LIMIT ?",
    ...[from.scope, from.key, context.boot, most],
  )
  const last = rows.at(-1)
  const over = rows.filter(lease => isLeftOver(lease, context))
  return { ended: endAll(over, context), ...(last !== undefined && rows.length === most && { next: last }) }
}

/** At once and without a cooldown: no connection outlives the machine. */
function endAll(over: readonly LeaseRow[], context: ChangeContext): readonly LeaseRow[] {
  for (const lease of over) endLease(context.database, lease, { at: context.now, why: LEFT_OVER, cooldownMs: 0 })
  return over
}

/** A configuration that says otherwise now than before whether its addresses may be those of other networks. */
export function moveToScope(database: Database, network: string, scope: string): void {
  for (const { scope: before, key } of leaseRows(database, 'WHERE network = ? AND scope <> ?', network, scope)) {
    const isHeld = database.get('SELECT 1 FROM lease WHERE scope = ? AND key = ?', scope, key) !== undefined
    // Two networks gave it, as they were allowed to; both keep it until one is released.
    if (isHeld) continue
    database.run('UPDATE lease SET scope = ? WHERE scope = ? AND key = ?', scope, before, key)
    new Runs(database, before).remove(key)
    new Runs(database, scope).add(key)
  }
}
