import type { V1ServiceCIDR } from '@kubernetes/client-node'
import type { Cidr } from '#values/cidr.ts'
import { cidrAt } from './addresses.ts'
import { type Decoded, itemsOf, nameAt, Problems, unusable, usable } from './checks.ts'
import { fieldsOf, unproven } from './fields.ts'

// A networking.k8s.io/v1 ServiceCIDR → the ranges that cluster IPs are drawn from.

export function decodeServiceCIDR(json: unknown): Decoded {
  const raw = fieldsOf(unproven<V1ServiceCIDR>(json))
  const problems = new Problems()
  const metadata = fieldsOf(raw.metadata)
  const name = nameAt('ServiceCIDR', metadata, problems)
  if (name === undefined) return unusable('ServiceCIDR', metadata, problems)
  const cidrs: Cidr[] = []
  for (const [i, item] of itemsOf(fieldsOf(raw.spec).cidrs, 'spec.cidrs', problems).entries()) {
    const cidr = cidrAt(`spec.cidrs[${i}]`, item, '10.96.0.0/12', problems)
    if (cidr !== undefined) cidrs.push(cidr)
  }
  return usable({ kind: 'ServiceCIDR', name, cidrs }, problems)
}
