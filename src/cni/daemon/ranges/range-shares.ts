import { ringRange } from '#config/ring-choice.ts'
import type { PodRangesSettings } from '#config/settings.ts'
import { environment } from '#system/host.ts'
import { baseAddress, type Cidr, contains, parseCidr, prefixLength } from '#values/cidr.ts'

// Settings and environment → the source of this node's ranges, and of what range the ring is.

export type RangeShares =
  | { readonly from: 'config' | 'node' }
  | { readonly from: 'ring'; readonly range: Cidr; readonly subnet: Cidr; readonly init: PodRangesSettings['init'] }

/** As Weave has it. */
const DEFAULT_RANGE = parseCidr('10.32.0.0/12')!

/** Fails where the environment says what cannot be. */
export function rangeShares(
  { from, range: set, subnet: part, init }: PodRangesSettings,
  { IPALLOC_RANGE: given = '' }: Readonly<Record<string, string | undefined>> = environment(),
): RangeShares {
  if (from !== 'ring') return { from }
  const range = set ?? (given === '' ? DEFAULT_RANGE : ringRange(given))
  if (range === undefined) {
    const right = 'must be an IPv4 range of at least four addresses, such as 10.32.0.0/12'
    throw new Error(`IPALLOC_RANGE: invalid value ${JSON.stringify(given)}: ${right}`)
  }
  const subnet = part ?? range
  if (prefixLength(subnet) < prefixLength(range) || !contains(range, baseAddress(subnet))) {
    throw new Error(`--ipalloc-default-subnet: invalid value "${subnet}": must be a part of ${range}`)
  }
  return { from, range, subnet, init }
}
