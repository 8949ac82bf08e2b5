import type { ApiObject, ApiStore } from '#lab/api-server/store.ts'
import { type Address, parseAddress } from '#values/address.ts'
import { type Cidr, contains, parseCidr } from '#values/cidr.ts'
import { type FieldProblem, invalid } from '../requests/refusals.ts'
import { IP_ADDRESSES, type Resource, SERVICE_CIDRS } from '../requests/resources.ts'
import { rangesOf } from './service-ranges.ts'

// ServiceCIDRs and IPAddresses as the API server takes them, and the end of a range: it stays while an address needs it.

export function checkServiceObject(resource: Resource, object: ApiObject, before: ApiObject | undefined): void {
  const problems =
    resource === SERVICE_CIDRS
      ? rangeProblems(object, before)
      : resource === IP_ADDRESSES
        ? parentProblems(object, before)
        : []
  if (problems.length > 0) throw invalid(resource, object.metadata.name ?? '', problems)
}

function rangeProblems(object: ApiObject, before: ApiObject | undefined): readonly FieldProblem[] {
  const field = 'spec.cidrs'
  const [cidrs, known] = [object, before].map(cidrsOf)
  if (before !== undefined) {
    const isExtended = known!.length === 1 && cidrs!.length === 2 && cidrs![0] === known![0]
    if (JSON.stringify(cidrs) === JSON.stringify(known) || isExtended) return []
    return [
      { reason: 'FieldValueInvalid', field, message: `Invalid value: ${JSON.stringify(cidrs)}: field is immutable` },
    ]
  }
  if (cidrs!.length === 0) {
    return [{ reason: 'FieldValueRequired', field, message: 'Required value: at least one CIDR required' }]
  }
  return cidrs!.flatMap((text, i) =>
    parseCidr(text) === text
      ? []
      : [
          {
            reason: 'FieldValueInvalid',
            field: `${field}[${i}]`,
            message: `Invalid value: ${JSON.stringify(text)}`,
          } as const,
        ],
  )
}

function cidrsOf(object: ApiObject | undefined): readonly unknown[] {
  const { cidrs } = (object?.spec ?? {}) as { readonly cidrs?: unknown }
  return Array.isArray(cidrs) ? cidrs : []
}

function parentProblems({ spec }: ApiObject, before: ApiObject | undefined): readonly FieldProblem[] {
  const field = 'spec.parentRef'
  const { parentRef } = (spec ?? {}) as { readonly parentRef?: { readonly resource?: string; readonly name?: string } }
  const { parentRef: known } = (before?.spec ?? { parentRef }) as { readonly parentRef?: object }
  if (JSON.stringify(parentRef) !== JSON.stringify(known)) {
    return [{ reason: 'FieldValueInvalid', field, message: 'Invalid value: field is immutable' }]
  }
  if (parentRef === undefined) return [{ reason: 'FieldValueRequired', field, message: 'Required value' }]
  return (['resource', 'name'] as const).flatMap(part =>
    parentRef[part]
      ? []
      : [{ reason: 'FieldValueRequired', field: `${field}.${part}`, message: 'Required value' } as const],
  )
}

/** Of a ServiceCIDR that is deleted: the range in its end, where addresses are in it that are in no other; undefined where it can go at once. */
export function endingServiceCIDR(store: ApiStore, resource: Resource, object: ApiObject): ApiObject | undefined {
  if (resource !== SERVICE_CIDRS || !isNeeded(store, object)) return undefined
  const message =
    'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR'
  const lastTransitionTime = store.timestamp()
  const conditions = [{ type: 'Ready', status: 'False', reason: 'Terminating', message, lastTransitionTime }]
  return { ...object, metadata: { ...object.metadata, deletionTimestamp: lastTransitionTime }, status: { conditions } }
}

/** After addresses have gone, or a range has come that has them, too. */
export function endServiceCIDRs(store: ApiStore): void {
  for (const object of store.list('ServiceCIDR')) {
    const isEnding = object.metadata.deletionTimestamp !== undefined
    if (isEnding && !isNeeded(store, object)) store.erase(SERVICE_CIDRS, undefined, object.metadata.name!)
  }
}

function isNeeded(store: ApiStore, object: ApiObject): boolean {
  const others = store
    .list('ServiceCIDR')
    .filter(one => one.metadata.name !== object.metadata.name && one.metadata.deletionTimestamp === undefined)
    .flatMap(rangesOf)
  const own = rangesOf(object)
  return addresses(store).some(ip => isIn(own, ip) && !isIn(others, ip))
}

function isIn(cidrs: readonly Cidr[], ip: Address): boolean {
  return cidrs.some(cidr => contains(cidr, ip))
}

function addresses(store: ApiStore): readonly Address[] {
  return store.list('IPAddress').flatMap(({ metadata }) => parseAddress(metadata.name) ?? [])
}
