import type { DhcpRecord } from '#ipam/leases/dhcp/dhcp-book.ts'
import type { Lease } from '#ipam/leases/lease-book.ts'

// What a DHCP server has granted → a lease as witnesses know it: its pod may be gone, too.

export function grantedLease({ owner, boot, lease }: DhcpRecord): Lease {
  const { address, grantedAt } = lease
  return { ...owner, address, family: 'ipv4', set: 0, boot, state: 'assigned', at: grantedAt }
}
