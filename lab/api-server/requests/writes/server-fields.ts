import { isDeepStrictEqual } from 'node:util'
import type { ApiObject } from '#lab/api-server/object.ts'
import type { Resource } from '../resources.ts'
import { qosClass } from './defaults/pods.ts'
import { fieldsOf } from './defaults/values.ts'

// What a client sent, and the object that is there → the same with the fields that clients cannot set: status, generation, the time of its end.

/** What these do is written by controllers and kubelets, through /status alone. Of the others, a sandbox without them sets it as it likes. */
const FIRST_STATUS: Readonly<Record<string, (object: ApiObject) => object>> = {
  Pod: ({ spec }) => ({ phase: 'Pending', qosClass: qosClass(fieldsOf(spec)) }),
  Deployment: () => ({}),
  ReplicaSet: () => ({ replicas: 0 }),
}

/** A generation counts the changes of what is desired, so that `observedGeneration` says how far a controller is. */
const COUNTED: ReadonlySet<string> = new Set([...Object.keys(FIRST_STATUS), 'EndpointSlice'])

export function newObject({ kind }: Resource, sent: ApiObject): ApiObject {
  const {
    uid: _uid,
    creationTimestamp: _born,
    deletionTimestamp: _end,
    deletionGracePeriodSeconds: _grace,
    ...metadata
  } = sent.metadata
  const generation = COUNTED.has(kind) ? { generation: 1 } : {}
  const status = Object.hasOwn(FIRST_STATUS, kind) ? { status: FIRST_STATUS[kind]!(sent) } : {}
  return { ...sent, metadata: { ...metadata, ...generation }, ...status }
}

/** Of an update that is not one of /status. */
export function nextObject({ kind }: Resource, sent: ApiObject, before: ApiObject): ApiObject {
  const status = Object.hasOwn(FIRST_STATUS, kind) ? before.status : (sent.status ?? before.status)
  const { deletionTimestamp: _end, deletionGracePeriodSeconds: _grace, ...metadata } = sent.metadata
  const { deletionTimestamp, deletionGracePeriodSeconds, generation } = before.metadata
  return {
    ...sent,
    metadata: {
      ...metadata,
      ...(deletionTimestamp !== undefined && { deletionTimestamp }),
      ...(deletionGracePeriodSeconds !== undefined && { deletionGracePeriodSeconds }),
      ...(generation !== undefined && { generation }),
    },
    ...(status !== undefined && { status }),
  }
}

/** What a write to /status does not change of the metadata, although most of it comes with a status. */
const KEPT: ReadonlyMap<string, string> = new Map([
  ['Deployment', 'labels'],
  ['Pod', 'ownerReferences'],
])

/** Of an update of /status: nothing of what is wished, but labels and annotations, as with the real server. */
export function nextStatus(resource: Resource, sent: ApiObject, before: ApiObject): ApiObject {
  const { kind } = resource
  const isKept = ([field]: readonly [string, unknown]) => field === KEPT.get(kind)
  const changed = Object.entries(nextObject(resource, sent, before).metadata).filter(it => !isKept(it))
  const metadata = Object.fromEntries([...changed, ...Object.entries(before.metadata).filter(isKept)])
  const { qosClass } = fieldsOf(before.status)
  const status = kind === 'Pod' && qosClass !== undefined ? { qosClass, ...fieldsOf(sent.status) } : sent.status
  return { ...before, metadata, status }
}

/** Defaults are filled in on both sides: what is desired already does not count. */
export function counted({ kind }: Resource, object: ApiObject, before: ApiObject | undefined): ApiObject {
  if (before === undefined || !COUNTED.has(kind) || isDeepStrictEqual(desired(object), desired(before))) return object
  const generation = Number(before.metadata.generation ?? 0) + 1
  return { ...object, metadata: { ...object.metadata, generation } }
}

/** An EndpointSlice has no spec: all of it is desired. Of a Deployment, annotations count, too. */
function desired({ kind, spec, endpoints, ports, metadata: { annotations } }: ApiObject): unknown {
  if (kind === 'Deployment') return [spec, annotations ?? {}]
  return kind === 'EndpointSlice' ? [endpoints, ports] : spec
}
