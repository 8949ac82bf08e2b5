import type { V1Service } from '@kubernetes/client-node'
import { type Address, FAMILIES, type Family, familyOf } from '#values/address.ts'
import { type Cidr, cidrFamily } from '#values/cidr.ts'
import { addressAt, cidrIn } from './addresses.ts'
import { isGiven, itemsOf, type Problems } from './checks.ts'
import { type FieldsOf, fieldsOf, listOf, type Unproven } from './fields.ts'

// A Service's load balancer → the addresses that this node answers on, and the clients that are let in there.

export interface LoadBalancer {
  readonly loadBalancerIPs: readonly Address[]
  readonly sourceRanges: readonly Cidr[]
}

/** A restriction that cannot be read must not become none: addresses whose clients are unknown are left out. */
export function loadBalancerOf(raw: FieldsOf<V1Service>, problems: Problems): LoadBalancer {
  const { valid, unread } = sourceRanges(fieldsOf(raw.spec).loadBalancerSourceRanges, problems)
  const closed =
    unread.length > 0 && valid.length === 0 ? FAMILIES : unread.filter(family => !isRestricted(valid, family))
  const addresses = ingressIPs(raw, problems)
  const open = addresses.filter(address => !closed.includes(familyOf(address)))
  if (open.length < addresses.length) {
    problems.line(
      'status.loadBalancer.ingress: left out, since no usable entry of spec.loadBalancerSourceRanges says who may come in',
    )
  }
  return { loadBalancerIPs: open, sourceRanges: valid }
}

/** The ranges that can be read, and the families that the other entries may have been meant for. */
function sourceRanges(
  list: Unproven<readonly string[]> | undefined,
  problems: Problems,
): { readonly valid: readonly Cidr[]; readonly unread: readonly Family[] } {
  const path = 'spec.loadBalancerSourceRanges'
  const valid = new Set<Cidr>()
  const unread = new Set<Family>(isGiven(list) && listOf(list) === undefined ? FAMILIES : [])
  for (const [i, item] of itemsOf(list, path, problems).entries()) {
    const text = typeof item === 'string' ? item.trim() : item
    const cidr = cidrIn(`${path}[${i}]`, text, problems)
    if (cidr !== undefined) valid.add(cidr)
    else {
      problems.add(`${path}[${i}]`, item, 'is not an address range like 10.0.0.0/8')
      for (const family of familiesLike(text)) unread.add(family)
    }
  }
  return { valid: [...valid], unread: [...unread] }
}

/** Which family a text that is no range was meant for; both, where the text does not show it. */
function familiesLike(text: unknown): readonly Family[] {
  if (typeof text !== 'string') return FAMILIES
  if (text.includes(':')) return ['ipv6']
  return /^[\d.]+\/\d*$/.test(text) ? ['ipv4'] : FAMILIES
}

function isRestricted(ranges: readonly Cidr[], family: Family): boolean {
  return ranges.some(range => cidrFamily(range) === family)
}

/** Host names are left to DNS; ipMode Proxy says that the load balancer wants to see the traffic itself. */
function ingressIPs(raw: FieldsOf<V1Service>, problems: Problems): readonly Address[] {
  const path = 'status.loadBalancer.ingress'
  const { ingress } = fieldsOf(fieldsOf(raw.status).loadBalancer)
  const found = new Set<Address>()
  for (const [i, item] of itemsOf(ingress, path, problems).entries()) {
    const { ip, ipMode } = fieldsOf(item)
    const isOurs = !isGiven(ipMode) || ipMode === 'VIP'
    if (!isOurs || !isGiven(ip) || ip === '') continue
    const address = addressAt(`${path}[${i}].ip`, ip, problems)
    if (address !== undefined) found.add(address)
  }
  return [...found]
}
