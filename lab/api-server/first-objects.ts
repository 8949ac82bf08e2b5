import type { Cidr } from '#values/cidr.ts'
import type { ApiObject } from './object.ts'
import { NAMESPACES, type Resource, SERVICE_CIDRS } from './requests/resources.ts'
import { defaultServiceCIDR } from './services/service-ranges.ts'

// What every cluster has from the start: its namespaces, and the range that the API server's flags give to Services.

const NAMESPACE_NAMES = ['default', 'kube-node-lease', 'kube-public', 'kube-system']

export interface FirstObject {
  readonly resource: Resource
  readonly object: ApiObject
}

export function firstObjects(serviceRanges: readonly Cidr[], time: string): readonly FirstObject[] {
  const namespaces = NAMESPACE_NAMES.map(name => ({ resource: NAMESPACES, object: namespace(name) }))
  return [...namespaces, { resource: SERVICE_CIDRS, object: defaultServiceCIDR(serviceRanges, time) }]
}

function namespace(name: string): ApiObject {
  const metadata = { name, labels: { 'kubernetes.io/metadata.name': name } }
  return { metadata, spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } }
}
