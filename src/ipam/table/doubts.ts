import type { AddressConflict } from '#ipam/leases/leaks/leak-book.ts'
import type { Lease } from '#ipam/leases/lease-book.ts'
import type { NetworkLeases } from '#ipam/leases/lease-view.ts'

// What the last look for leaks found → another status for the row of a lease, and rows for addresses in use without one.

export interface LeaseDoubt {
  readonly status: 'LEAKED' | 'SUSPECT' | 'CONFLICT'
  readonly reason: string
}

/** Undefined where there is none. A suspicion is of the leases that were there when it arose. */
export function doubtOf(lease: Lease, { suspicions = [], conflicts = [] }: NetworkLeases): LeaseDoubt | undefined {
  if (lease.state !== 'assigned') {
    const user = conflicts.find(({ address }) => address === lease.address)
    return user && { status: 'CONFLICT', reason: `still in use by ${userOf(user)}` }
  }
  const other = conflicts.find(({ address, container }) => address === lease.address && container !== lease.container)
  if (other !== undefined) return { status: 'CONFLICT', reason: `also in use by ${userOf(other)}` }
  const suspicion = suspicions.find(
    one => one.container === lease.container && one.ifname === lease.ifname && lease.at <= one.at,
  )
  return suspicion && { status: suspicion.verdict === 'leaked' ? 'LEAKED' : 'SUSPECT', reason: suspicion.why }
}

export function userOf({ pod, container }: Pick<AddressConflict, 'pod' | 'container'>): string {
  return pod ?? `container ${container.slice(0, 13)}`
}
