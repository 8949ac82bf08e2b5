import type { Address } from '#values/address.ts'
import type { Database, Row } from '../database/database.ts'
import type { Holder, Lease, LeaseOwner } from '../lease-book.ts'
import { forgetOldest, remember } from './history-rows.ts'
import { ownerColumns, ownerTexts } from './owner-texts.ts'
import { Runs } from './runs.ts'
import { addressOfKey, familyOfKey, sortKey } from './sort-key.ts'

// Rows of the table of leases ⇄ leases, and the two ways a row ends.

/** A lease with what only the database needs to know of it. */
export interface LeaseRow extends Lease {
  readonly scope: string
  readonly key: string
  readonly cooldownMs: number
}

interface NewLease {
  readonly owner: LeaseOwner
  readonly scope: string
  readonly key: string
  readonly set: number
  readonly boot: string
  readonly at: number
  readonly cooldownMs: number
}

const COLUMNS =
  'scope, key, network, range_set, container, ifname, pod, uid, netns, namespace_id, boot, state, at, until, cooldown'

export function insertLease(database: Database, lease: NewLease): LeaseRow {
  const { owner, scope, key, set, boot, at, cooldownMs } = lease
  database.run(
    `INSERT INTO lease (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'assigned', ?, NULL, ?)`,
    ...[scope, key, owner.network, set, owner.container, owner.ifname],
    ...ownerColumns(owner),
    ...[boot, Math.round(at), Math.round(cooldownMs)],
  )
  new Runs(database, scope).add(key)
  return {
    ...owner,
    ...{ scope, key, set, boot, cooldownMs: Math.round(cooldownMs) },
    ...{ address: addressOfKey(key), family: familyOfKey(key), state: 'assigned', at: Math.round(at) },
  }
}

/** What a `why` is for: history keeps it. The address cools down, or is free at once. */
export function endLease(
  database: Database,
  lease: LeaseRow,
  end: { readonly at: number; readonly why: string; readonly cooldownMs?: number },
): void {
  const at = Math.round(end.at)
  if (lease.state === 'assigned') remember(database, lease, { ...end, at })
  forgetOldest(database)
  const cooldownMs = end.cooldownMs ?? lease.cooldownMs
  if (cooldownMs <= 0 || lease.state === 'cooldown') {
    deleteLease(database, lease)
    return
  }
  database.run(
    "UPDATE lease SET state = 'cooldown', at = ?, until = ? WHERE scope = ? AND key = ?",
    ...[at, at + cooldownMs, lease.scope, lease.key],
  )
}

export function deleteLease(database: Database, { scope, key }: Pick<LeaseRow, 'scope' | 'key'>): void {
  database.run('DELETE FROM lease WHERE scope = ? AND key = ?', scope, key)
  new Runs(database, scope).remove(key)
}

/** Those that host-local's directory named no interface for belong to every interface of the container. */
export function heldBy(database: Database, { network, container, ifname }: Holder): readonly LeaseRow[] {
  const rows = leaseRows(
    database,
    "WHERE network = ? AND container = ? AND ifname IN (?, '') AND state = 'assigned'",
    ...[network, container, ifname],
  )
  const exact = rows.filter(row => row.ifname === ifname)
  return (exact.length > 0 ? exact : rows).toSorted((a, b) => a.set - b.set)
}

/**
 * `rest` is what stands behind FROM lease. Each pod waits for some of these: SQLite compiles a statement anew whenever a value
 * is given for LIMIT, or beside ORDER BY for a column that must equal it, and that takes ten times as long as to run it.
 */
export function leaseRows(
  database: Database,
  rest: string,
  ...values: readonly (string | number)[]
): readonly LeaseRow[] {
  return database.all(`SELECT ${COLUMNS} FROM lease ${rest}`, ...values).map(leaseOf)
}

/** Of every network that has it, in any state. Scopes are looked up one after another: by the key alone all leases would be read. */
export function leasesOfAddress(database: Database, address: Address): readonly LeaseRow[] {
  return leaseRows(
    database,
    `WHERE key = ? AND scope IN (
       WITH RECURSIVE scopes (scope) AS (
         SELECT min(scope) FROM lease
         UNION ALL
         SELECT (SELECT min(scope) FROM lease WHERE scope > scopes.scope) FROM scopes WHERE scopes.scope IS NOT NULL
       )
       SELECT scope FROM scopes
     ) ORDER BY scope`,
    sortKey(address),
  )
}

export function leaseOf(row: Row): LeaseRow {
  const key = String(row.key)
  const until = row.until
  return {
    ...{ scope: String(row.scope), key, address: addressOfKey(key), family: familyOfKey(key) },
    ...{ network: String(row.network), container: String(row.container), ifname: String(row.ifname) },
    ...ownerTexts(row),
    ...{ set: Number(row.range_set), boot: String(row.boot), at: Number(row.at) },
    state: row.state === 'cooldown' ? 'cooldown' : 'assigned',
    ...(until !== null && until !== undefined && { until: Number(until) }),
    cooldownMs: Number(row.cooldown),
  }
}

/** Without what only the database needs. */
export function plainLease({ scope: _scope, key: _key, cooldownMs: _cooldownMs, ...lease }: LeaseRow): Lease {
  return lease
}

/** Since when the oldest lease of a set is held; undefined where none is. */
export function oldestLease(
  database: Database,
  { network, set }: { readonly network: string; readonly set: number },
): number | undefined {
  const sql = "SELECT min(at) AS at FROM lease WHERE network = ? AND range_set = ? AND state = 'assigned'"
  const at = database.get(sql, network, set)?.at
  return typeof at === 'number' ? at : undefined
}

export interface LeaseCounts {
  readonly network: string
  readonly state: Lease['state']
  readonly count: number
}

/** From indexes alone: metrics ask every few seconds, and there may be 65,000 leases. */
export function leaseCounts(database: Database): readonly LeaseCounts[] {
  const cooling = countsByNetwork(database, "INDEXED BY lease_until WHERE state = 'cooldown'")
  return [...countsByNetwork(database, '')].flatMap(([network, all]) => {
    const cooldown = cooling.get(network) ?? 0
    const counts = { assigned: all - cooldown, cooldown }
    return (['assigned', 'cooldown'] as const)
      .map(state => ({ network, state, count: counts[state] }))
      .filter(({ count }) => count > 0)
  })
}

function countsByNetwork(database: Database, which: string): ReadonlyMap<string, number> {
  const rows = database.all(`SELECT network, count(*) AS count FROM lease ${which} GROUP BY network`)
  return new Map(rows.map(({ network, count }) => [String(network), Number(count)]))
}
