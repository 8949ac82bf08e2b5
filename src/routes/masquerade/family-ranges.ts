import { FAMILIES, type Family } from '#values/address.ts'
import { type Cidr, cidrFamily } from '#values/cidr.ts'
import type { MasqueradeRanges } from './masquerading.ts'

// Ranges → those of one family, where there is anything to masquerade in it.

export const MULTICAST: Readonly<Record<Family, string>> = { ipv4: '224.0.0.0/4', ipv6: 'ff00::/8' }

/** Undefined where the cluster has no range of this family, and so no outside of it; or this node has none. */
export function rangesIn(family: Family, { own, cluster }: MasqueradeRanges): MasqueradeRanges | undefined {
  const of = (ranges: readonly Cidr[]) => ranges.filter(range => cidrFamily(range) === family)
  const [mine, all] = [of(own), of(cluster)]
  return mine.length === 0 || all.length === 0 ? undefined : { own: mine, cluster: all }
}

/** Both at once; where one fails, the other is finished first. */
export async function inBothFamilies(work: (family: Family) => Promise<void>): Promise<void> {
  const done = await Promise.allSettled(FAMILIES.map(work))
  for (const one of done) if (one.status === 'rejected') throw one.reason
}
