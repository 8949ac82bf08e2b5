import type { ApiObject, ApiStore } from '#lab/api-server/store.ts'
import { endingServiceCIDR } from '../../../services/service-cidr-life.ts'
import { NAMESPACES, PODS, type Resource, SERVICE_CIDRS } from '../../resources.ts'
import type { DeleteOptions } from '../options.ts'

// An object that is to be deleted → the same with a time for its end, where something must happen before it goes; and when that is done.

/** What finishes a deletion that cannot be done at once. */
export type Controllers = 'none' | 'running'

export interface Ending {
  readonly resource: Resource
  readonly object: ApiObject
  readonly options: DeleteOptions
}

/** Undefined where the object can go at once. */
export function endingObject(store: ApiStore, controllers: Controllers, ending: Ending): ApiObject | undefined {
  const { resource, object } = ending
  if (resource === SERVICE_CIDRS) return endingServiceCIDR(store, resource, object)
  const finalizers = [...new Set([...finalizersOf(object), ...propagation(controllers, ending)])]
  const grace = controllers === 'running' && resource === PODS ? podGrace(ending) : 0
  if (finalizers.length === 0 && grace === 0) return undefined
  const { deletionTimestamp, deletionGracePeriodSeconds = grace } = object.metadata
  const isSooner = deletionTimestamp === undefined || grace < Number(deletionGracePeriodSeconds)
  const end = isSooner
    ? { deletionTimestamp: store.timestamp(grace), deletionGracePeriodSeconds: grace }
    : { deletionTimestamp, deletionGracePeriodSeconds }
  const { generation } = object.metadata
  const counted = isSooner && typeof generation === 'number' ? { generation: generation + 1 } : {}
  const kept = finalizers.length === 0 ? {} : { finalizers }
  return { ...object, metadata: { ...object.metadata, ...end, ...counted, ...kept } }
}

/** A pod that goes at once, as the answer shows it. */
export function endedPod(pod: ApiObject, deletionTimestamp: string): ApiObject {
  return { ...pod, metadata: { ...pod.metadata, deletionTimestamp, deletionGracePeriodSeconds: 0 } }
}

/** Nothing waits any more: no finalizer, and no grace that a kubelet has yet to confirm. */
export function isEnded(resource: Resource, object: ApiObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = object.metadata
  if (deletionTimestamp === undefined || resource === SERVICE_CIDRS || resource === NAMESPACES) return false
  return finalizersOf(object).length === 0 && deletionGracePeriodSeconds === 0
}

function finalizersOf({ metadata: { finalizers } }: ApiObject): readonly string[] {
  return Array.isArray(finalizers) ? finalizers.map(String) : []
}

/** What the garbage collector takes off when it has dealt with the dependents. */
function propagation(controllers: Controllers, { options: { propagation } }: Ending): readonly string[] {
  if (controllers === 'none' || propagation === undefined || propagation === 'Background') return []
  return [propagation === 'Foreground' ? 'foregroundDeletion' : 'orphan']
}

const DEFAULT_GRACE_SECONDS = 30

interface PodParts {
  readonly spec?: { readonly nodeName?: string; readonly terminationGracePeriodSeconds?: number }
  readonly status?: { readonly phase?: string }
}

/** A pod that no kubelet has, or that has ended, goes at once. A time that is negative is the shortest. */
function podGrace({ object, options }: Ending): number {
  const { spec, status } = object as PodParts
  if (!spec?.nodeName || status?.phase === 'Succeeded' || status?.phase === 'Failed') return 0
  const seconds = options.gracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS
  return seconds < 0 ? 1 : seconds
}
