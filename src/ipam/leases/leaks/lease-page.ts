import type { Database } from '../database/database.ts'
import type { Holder } from '../lease-book.ts'
import { leaseRows, plainLease } from '../records/lease-rows.ts'
import type { LeasePage } from './leak-book.ts'
import { suspicionsWhere } from './suspicion-rows.ts'

// A holder → the leases of those that come after it, as the index of holders has them, and what is suspected of these.

const AFTER = '(network, container, ifname) > (?, ?, ?)'
const UP_TO = '(network, container, ifname) <= (?, ?, ?)'
const ORDER = 'ORDER BY network, container, ifname'

/** All leases of a holder are in one page: it is judged as a whole. */
export function leasePage(database: Database, after: Holder | undefined, most: number): LeasePage {
  const from = after === undefined ? ['', '', ''] : keyOf(after)
  const bound = database.get(
    `SELECT network, container, ifname FROM lease WHERE state = 'assigned' AND ${AFTER} ${ORDER} LIMIT 1 OFFSET ?`,
    ...[...from, most - 1],
  )
  const last = bound && {
    ...{ network: String(bound.network), container: String(bound.container), ifname: String(bound.ifname) },
  }
  const [span, keys] = last === undefined ? [AFTER, from] : [`${AFTER} AND ${UP_TO}`, [...from, ...keyOf(last)]]
  return {
    leases: leaseRows(database, `WHERE state = 'assigned' AND ${span} ${ORDER}, range_set`, ...keys).map(plainLease),
    suspicions: suspicionsWhere(database, `${span} ${ORDER}`, ...keys),
    ...(last !== undefined && { last }),
  }
}

function keyOf({ network, container, ifname }: Holder): readonly [string, string, string] {
  return [network, container, ifname]
}
