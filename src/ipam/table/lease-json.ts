import type { NetworkLeases } from '#ipam/leases/lease-view.ts'
import { addressFromNumber } from '#values/address.ts'
import { type AddressRow, addressRows } from './address-rows.ts'
import type { TableOptions } from './lease-table.ts'
import { rowCounts, spread } from './row-counts.ts'

// Leases → JSON for programs: the same rows as the table, with all that is known of each.

export function leaseJson(all: readonly NetworkLeases[], options: Pick<TableOptions, 'free' | 'network'>): string {
  const shown = all.filter(({ network }) => options.network === undefined || network === options.network)
  return JSON.stringify({ networks: shown.map(network => networkJson(network, all, options)) }, undefined, 2)
}

function networkJson(network: NetworkLeases, all: readonly NetworkLeases[], { free }: Pick<TableOptions, 'free'>) {
  const rows = addressRows(network, all)
  const { ASSIGNED, LEAKED, SUSPECT, CONFLICT, COOLDOWN, RESERVED, FREE, outside } = rowCounts(rows)
  return {
    name: network.network,
    overlap: network.overlap,
    ranges: network.sets,
    counts: {
      ...{
        ...{ assigned: whole(ASSIGNED), leaked: whole(LEAKED), suspect: whole(SUSPECT), conflict: whole(CONFLICT) },
        cooldown: whole(COOLDOWN),
        reserved: whole(RESERVED),
        free: whole(FREE),
        outside,
      },
    },
    addresses: spread(rows, free).map(rowJson),
  }
}

function rowJson({ family, first, last, status, lease, reason, isOutside }: AddressRow) {
  const [from, to] = [addressFromNumber(family, first), addressFromNumber(family, last)]
  return {
    ...(first === last ? { ip: from } : { first: from, last: to, count: whole(last - first + 1n) }),
    status,
    ...(reason !== undefined && { reason }),
    ...(isOutside && { outside: true }),
    ...(lease !== undefined && {
      ...{ pod: lease.pod, uid: lease.uid, container: lease.container, ifname: lease.ifname || undefined },
      ...{ netns: lease.netns, namespaceId: lease.namespaceId, boot: lease.boot || undefined, set: lease.set },
      ...{ since: time(lease.at), until: lease.until === undefined ? undefined : time(lease.until) },
    }),
  }
}

/** As text where a double cannot hold every digit: an IPv6 range has more addresses than that. */
function whole(value: bigint): number | string {
  return value <= Number.MAX_SAFE_INTEGER ? Number(value) : String(value)
}

function time(at: number): string {
  return new Date(at).toISOString()
}
