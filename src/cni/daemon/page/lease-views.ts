import { LeaseChanges } from '#ipam/leases/lease-changes.ts'
import { type NetworkLeases, readLeases, readUsages } from '#ipam/leases/lease-view.ts'
import { LEASES_PATH } from '#ipam/leases/sqlite-lease-book.ts'
import { type AddressRow, addressRows } from '#ipam/table/address-rows.ts'
import { freeOf } from '#ipam/table/fullness.ts'
import { rowCounts, spread } from '#ipam/table/row-counts.ts'
import type { AddressLine, AddressSource, NetworkAddresses, RangeUse } from '#page/views/pods.ts'
import { hostFiles } from '#system/plugin-files.ts'
import type { Clock } from '#system/ports.ts'
import { addressFromNumber } from '#values/address.ts'

// The database of leases → the addresses of this node and how full its sets are, for the page of either program. It is read beside
// the daemon, and looked at for changes only while a page is.

export interface LeaseViews {
  readonly addresses: AddressSource
  readonly sets: () => readonly RangeUse[]
}

export interface LeaseViewParts {
  /** Where leases are on every node, if it does not say. */
  readonly database?: string | undefined
  readonly clock: Clock
}

/** Changes of another process show within this time. */
const LOOK_EVERY_MS = 400
/** What cools down is free after a time, and nothing is written for that. */
const SHOW_EVERY_LOOKS = 25

export async function leaseViews({ database = LEASES_PATH, clock }: LeaseViewParts): Promise<LeaseViews> {
  const boot = await hostFiles.bootId()
  return {
    addresses: {
      isThere: () => readLeases(database, clock.now()) !== undefined,
      networks: () => {
        const networks = readLeases(database, clock.now()) ?? []
        return networks.map(network => networkAddresses(network, networks))
      },
      follow(changed) {
        const end = new AbortController()
        void lookForChanges({ database, clock, changed, signal: end.signal })
        return () => end.abort()
      },
    },
    sets: () =>
      (readUsages({ path: database, now: clock.now(), boot }) ?? []).map(({ network, ranges, usage }) => ({
        ...{ network, size: usage.size, assigned: usage.assigned, cooling: usage.cooling, free: freeOf(usage) },
        ranges: ranges.map(({ subnet, start, end }) => `${subnet} (${start}–${end})`),
      })),
  }
}

interface LookParts extends LeaseViewParts {
  readonly database: string
  readonly changed: () => void
  readonly signal: AbortSignal
}

async function lookForChanges({ database, clock, changed, signal }: LookParts): Promise<void> {
  const changes = new LeaseChanges(database)
  try {
    for (let look = 1; !signal.aborted; look++) {
      if (hasChanged(changes) || look % SHOW_EVERY_LOOKS === 0) changed()
      await clock.sleep(LOOK_EVERY_MS, signal)
    }
  } finally {
    changes.close()
  }
}

/** What cannot be read now may be later; the page itself says why. */
function hasChanged(changes: LeaseChanges): boolean {
  try {
    return changes.hasChanged()
  } catch {
    return false
  }
}

function networkAddresses(network: NetworkLeases, all: readonly NetworkLeases[]): NetworkAddresses {
  const rows = addressRows(network, all)
  const { outside, ...counts } = rowCounts(rows)
  return {
    network: network.network,
    subnets: network.sets.flatMap(set => set.map(({ subnet }) => subnet)),
    counts: [...Object.entries(counts), ['outside of its ranges', BigInt(outside)] as const]
      .filter(([, count]) => count > 0n)
      .map(([status, count]) => ({ status, count })),
    rows: spread(rows, 'short').map(lineOf),
  }
}

const GOOD: readonly AddressRow['status'][] = ['ASSIGNED', 'COOLDOWN', 'RESERVED', 'FREE']

function lineOf({ family, first, last, status, lease, reason, isOutside }: AddressRow): AddressLine {
  const [from, to] = [addressFromNumber(family, first), addressFromNumber(family, last)]
  const why = reason ?? (isOutside ? 'outside of the ranges' : undefined)
  return {
    ip: first === last ? from : `${from} – ${to}`,
    status,
    isGood: GOOD.includes(status) && !isOutside,
    ...(lease !== undefined && leaseLine(lease)),
    ...(why !== undefined && { reason: why }),
  }
}

function leaseLine({ pod, container, ifname, at, until }: NonNullable<AddressRow['lease']>): Partial<AddressLine> {
  return {
    ...(pod !== undefined && { pod }),
    ...(ifname !== '' && { ifname }),
    ...(until !== undefined && { until }),
    ...{ container, since: at },
  }
}
