import type { LeakBook } from '#ipam/leases/leaks/leak-book.ts'
import type { Holder, Lease, LeaseOwner, LeaseRequest } from '#ipam/leases/lease-book.ts'
import { rangeSets } from '#ipam/ranges/range-config.ts'
import type { AddressRange, RangeSet } from '#ipam/ranges/range-set.ts'
import { type Address, addressFromNumber, addressNumber, familyOf, parseAddress } from '#values/address.ts'
import { baseAddress, parseCidr } from '#values/cidr.ts'

// Range sets, holders and requests in few words.

export function address(text: string): Address {
  const parsed = parseAddress(text)
  if (parsed === undefined) throw new Error(`${text} is no address`)
  return parsed
}

/** `10.9.0.0/24 10.9.0.1-10.9.0.6`: the subnet, and the first and last address; the gateway is the subnet's first one. */
export function range(text: string, gateway?: string): AddressRange {
  const [cidr, bounds = ''] = text.split(' ')
  const subnet = parseCidr(cidr)
  if (subnet === undefined) throw new Error(`${cidr} is no range`)
  const base = baseAddress(subnet)
  const first = addressFromNumber(familyOf(base), addressNumber(base) + 1n)
  const [start = '', end = ''] = bounds.split('-')
  return { subnet, start: address(start), end: address(end), gateway: gateway === undefined ? first : address(gateway) }
}

/** Five addresses: .2 to .6. */
export const SMALL: RangeSet = [range('10.9.0.0/29 10.9.0.1-10.9.0.6')]
export const SMALL6: RangeSet = [range('fd00:9::/125 fd00:9::1-fd00:9::7')]

/** All of them, as rounds read them. */
export async function heldLeases(book: Pick<LeakBook, 'page'>, atOnce = 500): Promise<readonly Lease[]> {
  const all: Lease[] = []
  let last: Holder | undefined
  do {
    const page = await book.page(last, atOnce)
    all.push(...page.leases)
    last = page.last
  } while (last !== undefined)
  return all
}

export function holder(container: string, network = 'mynet'): Holder {
  return { network, container, ifname: 'eth0' }
}

type RequestOptions = Partial<Omit<LeaseRequest, 'owner'>> & Partial<LeaseOwner>

/** No cooldown, unless it is asked for. */
export function leaseRequest(container: string, options: RequestOptions = {}): LeaseRequest {
  const {
    sets = [SMALL],
    requested = [],
    onDuplicate = 'error',
    overlap = 'refuse',
    cooldownMs = 0,
    ...owner
  } = options
  return { owner: { ...holder(container), ...owner }, sets, requested, onDuplicate, overlap, cooldownMs }
}

/** As host-local has a subnet that is named alone. */
export function setOf(subnet: string): RangeSet {
  const decoded = rangeSets({ ipam: { subnet } })
  if (!decoded.ok) throw new Error(decoded.problems.map(({ text }) => text).join('; '))
  return decoded.sets[0]!
}
