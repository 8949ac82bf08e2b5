import type { Lease } from '#ipam/leases/lease-book.ts'
import { address, holder } from '../../support/leases.ts'

/** Of a pod that runs, with all that witnesses look for. */
export const lease = (more: Partial<Lease> = {}): Lease => ({
  ...holder('c1', 'net1'),
  ...{ address: address('10.9.0.2'), family: 'ipv4', set: 0, boot: 'now', state: 'assigned', at: 0 },
  ...{ netns: '/run/netns/c1', namespaceId: '4:1', pod: 'default/web-1', uid: 'u1', ...more },
})
