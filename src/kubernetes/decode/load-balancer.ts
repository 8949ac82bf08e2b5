import { type Address, FAMILIES, type Family, familyOf } from '#values/address.ts'
import { type Cidr, cidrFamily, parseCidr } from '#values/cidr.ts'
import { addressAt, type Fields, fieldsOf, itemsOf, type Problems } from './checks.ts'

// A Service's load balancer → the addresses that are ours to answer on, and who may come in there.

export interface Doors {
  readonly loadBalancerIPs: readonly Address[]
  readonly sourceRanges: readonly Cidr[]
}

/** A restriction we cannot read must not become none: addresses whose guests are unknown are left out. */
export function doorsOf(raw: Fields, problems: Problems): Doors {
  const spec = fieldsOf(raw.spec)
  const { valid, unread } = sourceRanges(spec.loadBalancerSourceRanges, problems)
  const shut =
    unread.length > 0 && valid.length === 0 ? FAMILIES : unread.filter(family => !isRestricted(valid, family))
  const addresses = ingressIPs(raw, problems)
  const open = addresses.filter(address => !shut.includes(familyOf(address)))
  if (open.length < addresses.length) {
    problems.tell(
      'status.loadBalancer.ingress: left out, since no usable entry of spec.loadBalancerSourceRanges says who may come in',
    )
  }
  return { loadBalancerIPs: open, sourceRanges: valid }
}

/** The ranges that can be read, and the families of which others may have spoken. */
function sourceRanges(raw: unknown, problems: Problems): { valid: readonly Cidr[]; unread: readonly Family[] } {
  const path = 'spec.loadBalancerSourceRanges'
  const items = itemsOf(raw, path, problems)
  const valid = new Set<Cidr>()
  const unread = new Set<Family>()
  if (raw !== undefined && raw !== null && !Array.isArray(raw)) for (const family of FAMILIES) unread.add(family)
  for (const [i, item] of items.entries()) {
    const text = typeof item === 'string' ? item.trim() : item
    const cidr = parseCidr(text)
    if (cidr !== undefined) valid.add(cidr)
    else {
      problems.add(`${path}[${i}]`, item, 'is not an address range like 10.0.0.0/8')
      for (const family of familiesLike(text)) unread.add(family)
    }
  }
  return { valid: [...valid], unread: [...unread] }
}

/** Which family a text that is no range was meant for; both, where nobody can tell. */
function familiesLike(text: unknown): readonly Family[] {
  if (typeof text !== 'string') return FAMILIES
  if (text.includes(':')) return ['ipv6']
  return /^[\d.]+\/\d*$/.test(text) ? ['ipv4'] : FAMILIES
}

function isRestricted(ranges: readonly Cidr[], family: Family): boolean {
  return ranges.some(range => cidrFamily(range) === family)
}

/** Host names are somebody else's to resolve; ipMode Proxy says that the load balancer wants to see the traffic itself. */
function ingressIPs(raw: Fields, problems: Problems): readonly Address[] {
  const path = 'status.loadBalancer.ingress'
  const { ingress } = fieldsOf(fieldsOf(raw.status).loadBalancer)
  const found = new Set<Address>()
  for (const [i, item] of itemsOf(ingress, path, problems).entries()) {
    const { ip, ipMode } = fieldsOf(item)
    const ours = ipMode === undefined || ipMode === null || ipMode === 'VIP'
    if (!ours || ip === undefined || ip === null || ip === '') continue
    const address = addressAt(`${path}[${i}].ip`, ip, problems)
    if (address !== undefined) found.add(address)
  }
  return [...found]
}
