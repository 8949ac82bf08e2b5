import type { Address } from '#values/address.ts'
import type { Database } from '../database/database.ts'
import { type LeaseRow, leaseRows } from './lease-rows.ts'
import { sortKey } from './sort-key.ts'

// An address → the leases that keep a network from giving it.

/** A network, and the scope it gives addresses in. */
export interface NetworkInScope {
  readonly network: string
  readonly scope: string
}

/**
 * Scopes of networks that were apart, and share the node by now. What two of them had given both keep, one of them in its own
 * scope.
 */
export const SCOPES_OF_THE_NODE = "SELECT network FROM range WHERE scope = ''"

/** In its scope, or in one that a network of this scope has had before. */
export function occupants(
  database: Database,
  { network, scope }: NetworkInScope,
  address: Address,
): readonly LeaseRow[] {
  return leaseRows(
    database,
    `WHERE (scope = ?1 AND key = ?2) OR (network = ?3 AND key = ?2)
       OR (?1 = '' AND key = ?2 AND scope IN (${SCOPES_OF_THE_NODE}))`,
    ...[scope, sortKey(address), network],
  )
}
