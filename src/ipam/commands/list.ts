import type { IpamSettings } from '#config/settings.ts'
import { leaseJson } from '#ipam/table/lease-json.ts'
import { leaseTable } from '#ipam/table/lease-table.ts'
import { networksIn, ofNetwork } from './answer.ts'

// `ipam ls`: the addresses of all networks, or of one.

export interface LeaseList {
  readonly text: string
  /** When the first lease that cools down is free: the list is another one then. */
  readonly until?: number
}

export function listed({ database, output, network, all }: IpamSettings, now: number): LeaseList {
  const networks = networksIn(database, now)
  const asked = ofNetwork(networks, network)
  const ends = asked.flatMap(({ leases }) => leases.flatMap(lease => lease.until ?? []))
  const until = ends.reduce((first, end) => Math.min(first, end), Number.POSITIVE_INFINITY)
  const options = { free: all ? 'all' : 'short', ...(network !== undefined && { network }) } as const
  return { text: text(), ...(Number.isFinite(until) && { until }) }

  function text(): string {
    if (output === 'json') return leaseJson(networks, options)
    if (networks.length === 0) return 'No network has given an address on this node yet.'
    return leaseTable(networks, { ...options, shape: output === 'wide' ? 'wide' : 'narrow', now })
  }
}
