import { keyOf, type ObjectKey } from '#lab/client/cluster-client.ts'
import type { ApiObject, OwnerReference } from '#lab/client/objects.ts'
import { ownersPatch } from '../facts/owners.ts'
import { type Decision, NOTHING, type Write } from '../loop/controller.ts'

// An object, its owners and its dependents → what must go with what.

export const FOREGROUND = 'foregroundDeletion'
export const ORPHAN = 'orphan'

/** An owner is `ending` while it waits for its dependents to go first. */
export type OwnerState = 'there' | 'gone' | 'ending'

export function ownerState(owner: ApiObject | undefined, uid: string): OwnerState {
  if (owner?.metadata.uid !== uid) return 'gone'
  const { deletionTimestamp, finalizers = [] } = owner.metadata
  return deletionTimestamp !== undefined && finalizers.includes(FOREGROUND) ? 'ending' : 'there'
}

export function hasWork({ metadata }: ApiObject): boolean {
  return (metadata.ownerReferences ?? []).length > 0 || waitsFor(metadata) !== undefined
}

/** What its deletion waits for. */
export function waitsFor({ deletionTimestamp, finalizers = [] }: ApiObject['metadata']): string | undefined {
  if (deletionTimestamp === undefined) return undefined
  return [ORPHAN, FOREGROUND].find(finalizer => finalizers.includes(finalizer))
}

/** `kubectl delete --cascade=orphan`: its dependents stay, without an owner. `--cascade=foreground`: they go first. */
export function endingDecision(object: ApiObject, dependents: readonly ApiObject[]): Decision {
  const { uid = '' } = object.metadata
  if (waitsFor(object.metadata) === ORPHAN) {
    const writes = dependents.map(dependent => withoutOwners(dependent, it => it.uid === uid))
    return { writes: writes.length > 0 ? writes : [withoutFinalizer(object, ORPHAN)] }
  }
  const writes = dependents
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map((dependent): Write => ({ do: 'delete', object: dependent, options: { propagationPolicy: 'Foreground' } }))
  const blocks = ({ ownerReferences = [] }: ApiObject['metadata']) =>
    ownerReferences.some(it => it.uid === uid && it.blockOwnerDeletion === true)
  const isFree = !dependents.some(({ metadata }) => blocks(metadata))
  return { writes: isFree ? [...writes, withoutFinalizer(object, FOREGROUND)] : writes }
}

/** It goes when the last of its owners has gone. */
export function ownedDecision(object: ApiObject, stateOf: (owner: OwnerReference) => OwnerState): Decision {
  const { ownerReferences = [], deletionTimestamp, resourceVersion } = object.metadata
  if (ownerReferences.length === 0 || deletionTimestamp !== undefined) return NOTHING
  const states = ownerReferences.map(stateOf)
  if (states.every(state => state === 'there')) return NOTHING
  if (states.includes('there')) return { writes: [withoutOwners(object, it => stateOf(it) !== 'there')] }
  const propagationPolicy = states.includes('ending') ? 'Foreground' : 'Background'
  const version = resourceVersion === undefined ? {} : { resourceVersion }
  return { writes: [{ do: 'delete', object, options: { propagationPolicy, ...version } }] }
}

function withoutOwners(object: ApiObject, isOut: (owner: OwnerReference) => boolean): Write {
  const rest = (object.metadata.ownerReferences ?? []).filter(owner => !isOut(owner))
  return ownersPatch(object, rest.length > 0 ? rest : null)
}

function withoutFinalizer(object: ApiObject, finalizer: string): Write {
  const { kind = '', metadata } = object
  const { uid, resourceVersion, finalizers = [] } = metadata
  const rest = finalizers.filter(it => it !== finalizer)
  const patch = { metadata: { uid, resourceVersion, finalizers: rest.length > 0 ? rest : null } }
  return { do: 'patch', kind, key: keyParts(object), patch }
}

function keyParts({ metadata: { namespace, name = '' } }: ApiObject): ObjectKey {
  return { name, ...(namespace !== undefined && { namespace }) }
}

/** Of all kinds: `Pod shop/web-1`. */
export function fullKey(kind: string, object: ApiObject): string {
  return `${kind} ${keyOf(object)}`
}
