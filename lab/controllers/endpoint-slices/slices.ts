import { isDeepStrictEqual } from 'node:util'
import type { EndpointSlice, ObjectMeta, Service } from '#lab/client/objects.ts'
import { timeText } from '../facts/conditions.ts'
import { ownerReference } from '../facts/owners.ts'
import type { Write } from '../loop/controller.ts'
import { type AddressType, type EndpointGroup, groupKey } from './endpoints.ts'
import { type PackedSlice, packed } from './packed.ts'

// The endpoints there should be, and the slices there are → the fewest writes.

export const SERVICE_NAME = 'kubernetes.io/service-name'
export const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by'
export const MANAGER = 'endpointslice-controller.k8s.io'
const HEADLESS = 'service.kubernetes.io/headless'
const TRIGGERED = 'endpoints.kubernetes.io/last-change-trigger-time'

export interface SlicesWanted {
  readonly service: Service
  readonly groups: readonly EndpointGroup[]
  /** A Service without endpoints has an empty slice of each. */
  readonly families: readonly AddressType[]
  readonly now: number
}

export function sliceWrites(wanted: SlicesWanted, all: readonly EndpointSlice[]): readonly Write[] {
  const { service } = wanted
  const slices = all.filter(slice => isOwn(slice, service))
  const groups = withEmpty(wanted)
  const keys = new Set(groups.map(keyOfGroup))
  /** Of ports that no group has any more: the next group of that family takes one over. */
  const free = slices.filter(slice => !keys.has(keyOfSlice(slice)))
  const writes: Write[] = []
  for (const group of groups) {
    const same = slices.filter(slice => keyOfSlice(slice) === keyOfGroup(group))
    const at = same.length > 0 ? -1 : free.findIndex(({ addressType }) => addressType === group.addressType)
    const own = at === -1 ? same : free.splice(at, 1)
    const { slices: wantedSlices, spare } = packed(group, own)
    for (const one of wantedSlices) {
      const isStale = one.slice !== undefined && !isAsWanted(one.slice, service, group)
      if (one.isChanged || isStale) writes.push(sliceWrite(wanted, group, one))
    }
    for (const object of spare) writes.push({ do: 'delete', object })
  }
  const others = all.filter(slice => !slices.includes(slice))
  return [...writes, ...[...free, ...others].map((object): Write => ({ do: 'delete', object }))]
}

/** A Service of the same name that is no more takes its slices with it: what is written into them would be lost. */
function isOwn({ metadata }: EndpointSlice, service: Service): boolean {
  return (metadata.ownerReferences ?? []).some(({ uid }) => uid === service.metadata.uid)
}

/** Which family a headless Service without families has shows with its first pod. */
function withEmpty({ service, groups, families }: SlicesWanted): readonly EndpointGroup[] {
  const needed = service.spec?.ipFamilies?.length ? families : groups.length > 0 ? [] : families.slice(0, 1)
  const missing = needed.filter(family => !groups.some(({ addressType }) => addressType === family))
  return [...groups, ...missing.map(addressType => ({ addressType, ports: [], endpoints: new Map() }))]
}

function sliceWrite({ service, now }: SlicesWanted, group: EndpointGroup, { slice, endpoints }: PackedSlice): Write {
  const { name = '', namespace } = service.metadata
  const fresh = {
    generateName: `${name}-`,
    ...(namespace !== undefined && { namespace }),
    ownerReferences: [ownerReference(service)],
  }
  const before: ObjectMeta = slice?.metadata ?? fresh
  const annotations = { ...before.annotations, [TRIGGERED]: timeText(now) }
  const object: EndpointSlice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...before, labels: labelsOf(service), annotations },
    ...{ addressType: group.addressType, endpoints, ports: group.ports },
  }
  return slice === undefined ? { do: 'create', object } : { do: 'replace', object }
}

/** Those of the Service, so that programs select slices as they select Services. */
function labelsOf({ metadata, spec }: Service): Readonly<Record<string, string>> {
  // A proxy leaves out slices that are marked as headless: only the Service itself says so.
  const { [HEADLESS]: _, ...labels } = metadata.labels ?? {}
  return {
    ...labels,
    ...(spec?.clusterIP === 'None' && { [HEADLESS]: '' }),
    [SERVICE_NAME]: metadata.name ?? '',
    [MANAGED_BY]: MANAGER,
  }
}

function isAsWanted(slice: EndpointSlice, service: Service, group: EndpointGroup): boolean {
  return isDeepStrictEqual(slice.metadata.labels, labelsOf(service)) && keyOfSlice(slice) === keyOfGroup(group)
}

function keyOfSlice({ addressType, ports }: EndpointSlice): string {
  return groupKey(addressType, ports ?? [])
}

function keyOfGroup({ addressType, ports }: EndpointGroup): string {
  return groupKey(addressType, ports)
}
