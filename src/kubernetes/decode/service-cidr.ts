import { type Cidr, parseCidr } from '#values/cidr.ts'
import { type Decoded, type Fields, fieldsOf, itemsOf, nameAt, Problems, unusable } from './checks.ts'

// A networking.k8s.io/v1 ServiceCIDR → the ranges that cluster IPs are drawn from.

export function decodeServiceCIDR(raw: Fields): Decoded {
  const problems = new Problems()
  const metadata = fieldsOf(raw.metadata)
  const name = nameAt('ServiceCIDR', metadata, problems)
  if (name === undefined) return unusable('ServiceCIDR', metadata, problems)
  const cidrs: Cidr[] = []
  for (const [i, item] of itemsOf(fieldsOf(raw.spec).cidrs, 'spec.cidrs', problems).entries()) {
    const cidr = parseCidr(item)
    if (cidr === undefined) problems.add(`spec.cidrs[${i}]`, item, 'is not an address range like 10.96.0.0/12')
    else cidrs.push(cidr)
  }
  return { ok: true, object: { kind: 'ServiceCIDR', name, cidrs }, problems: problems.lines }
}
