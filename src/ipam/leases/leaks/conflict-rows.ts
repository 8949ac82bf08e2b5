import type { Address } from '#values/address.ts'
import { familyOf } from '#values/address.ts'
import type { Database, Row } from '../database/database.ts'
import type { Lease } from '../lease-book.ts'
import type { NetworkInScope } from '../records/occupants.ts'
import { registeredScope } from '../records/range-rows.ts'
import { addressOfKey, sortKey } from '../records/sort-key.ts'
import type { AddressConflict } from './leak-book.ts'

// Rows of the table of conflicts ⇄ addresses in use without a lease, which are given to no pod.

export function conflictsIn(database: Database): readonly AddressConflict[] {
  return database.all('SELECT * FROM conflict ORDER BY key, container').map(conflictOf)
}

export function keepConflicts(database: Database, next: readonly AddressConflict[]): void {
  database.run('DELETE FROM conflict')
  for (const { address, network, container, ifname, pod, netns, namespaceId, boot, at } of next) {
    database.run(
      `INSERT OR REPLACE INTO conflict (scope, key, network, container, ifname, pod, netns, namespace_id, boot, at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[registeredScope(database, network) ?? '', sortKey(address), network, container, ifname, pod ?? null],
      ...[netns, namespaceId, boot, Math.round(at)],
    )
  }
}

/** As it is kept: without what a round knows of it besides. */
export function plainConflict(conflict: AddressConflict): AddressConflict {
  const { address, network, container, ifname, pod, netns, namespaceId, boot, at } = conflict
  return {
    address,
    network,
    container,
    ifname,
    ...(pod !== undefined && { pod }),
    netns,
    namespaceId,
    boot,
    at: Math.round(at),
  }
}

/** The scope that the user's network has by now, which may be another than at the time it was found. */
const IN_SCOPE = `(network = ?1 OR coalesce((SELECT scope FROM range WHERE range.network = conflict.network LIMIT 1), '') = ?2)`

/** What this network may not give. */
export function conflictAddresses(database: Database, { network, scope }: NetworkInScope): readonly Address[] {
  const rows = database.all(`SELECT DISTINCT key FROM conflict WHERE ${IN_SCOPE}`, network, scope)
  return rows.map(({ key }) => addressOfKey(String(key)))
}

/** Who uses an address that is asked for, as if it were leased. */
export function conflictAt(
  database: Database,
  { network, scope }: NetworkInScope,
  address: Address,
): Lease | undefined {
  const sql = `SELECT * FROM conflict WHERE key = ?3 AND ${IN_SCOPE} LIMIT 1`
  const row = database.get(sql, network, scope, sortKey(address))
  return row === undefined ? undefined : { ...conflictOf(row), family: familyOf(address), set: 0, state: 'assigned' }
}

function conflictOf(row: Row): AddressConflict {
  return {
    ...{ network: String(row.network), container: String(row.container), ifname: String(row.ifname) },
    address: addressOfKey(String(row.key)),
    ...(typeof row.pod === 'string' && { pod: row.pod }),
    ...{ netns: String(row.netns), namespaceId: String(row.namespace_id) },
    ...{ boot: String(row.boot), at: Number(row.at) },
  }
}
