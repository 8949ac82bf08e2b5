import type { Lease, SetUsage } from '#ipam/leases/lease-book.ts'
import { freeOf } from '#ipam/table/fullness.ts'
import { roundedDuration } from '#values/duration.ts'

// The counts of a range set → what a person needs to see when no address is free: who has them, since when, where to look.

export interface UsageContext {
  readonly network: string
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly boot: string
}

export function usageText(usage: SetUsage, { network, now, boot }: UsageContext): string {
  if (usage.size === 0n)
    return 'none of its addresses may be given: they are gateways, or network and broadcast addresses'
  const { size, assigned, cooling, elsewhere, freeAt, oldest } = usage
  const wait = freeAt === undefined ? '' : ` (the first is free in ${roundedDuration(Math.max(0, freeAt - now))})`
  const counts = [
    `${assigned} leased`,
    `${cooling} cooling down${wait}`,
    elsewhere > 0 && `${elsewhere} used by other networks`,
    `${freeOf(usage)} free`,
  ].filter(count => count !== false)
  const held = oldest.map(lease => leaseText(lease, { now, boot }))
  return [
    `${size} in all: ${counts.join(', ')}`,
    ...(held.length > 0 ? [`held the longest: ${held.join(', ')}`] : []),
    lookText(network),
  ].join('; ')
}

/** `10.244.1.7 by shop/cart-5d9 for 72h3m0s` */
export function leaseText(lease: Lease, { now, boot }: Pick<UsageContext, 'now' | 'boot'>): string {
  const since = `for ${roundedDuration(Math.max(0, now - lease.at))}`
  const before = lease.boot !== '' && lease.boot !== boot ? ', since before the machine started' : ''
  return `${lease.address} by ${holderText(lease)} ${since}${before}`
}

export function holderText({ pod, container, ifname }: Lease): string {
  return pod === undefined ? `container ${container} ${ifname}` : `${pod} (container ${container} ${ifname})`
}

export function lookText(network: string): string {
  return `look with: switchyard ipam ls --network ${network}`
}
