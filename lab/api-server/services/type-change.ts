import type { ApiObject } from '../object.ts'
import { fieldsOf, listOf } from '../requests/writes/defaults/values.ts'

// A Service as a client wants it, and as it is → without what it had for another type alone, where the client left that as it was.

type Fields = Readonly<Record<string, unknown>>

const OUTWARD = ['NodePort', 'LoadBalancer']

/** What only these types have. */
const OF_TYPES: Readonly<Record<string, readonly string[]>> = {
  allocateLoadBalancerNodePorts: ['LoadBalancer'],
  internalTrafficPolicy: ['ClusterIP', ...OUTWARD],
}

export function withoutFormerFields(service: ApiObject, before: ApiObject): ApiObject {
  const [spec, known] = [fieldsOf(service.spec), fieldsOf(before.spec)]
  const kept = Object.entries(spec).filter(([field, value]) => !(value === known[field] && isForeign(field, spec)))
  return kept.length === Object.keys(spec).length ? service : { ...service, spec: Object.fromEntries(kept) }
}

function isForeign(field: string, spec: Fields): boolean {
  const type = String(spec.type ?? 'ClusterIP')
  if (field === 'externalTrafficPolicy') return !OUTWARD.includes(type) && listOf(spec.externalIPs).length === 0
  return OF_TYPES[field]?.includes(type) === false
}
