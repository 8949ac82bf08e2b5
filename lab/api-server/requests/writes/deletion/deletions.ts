import type { ApiObject, ApiStore } from '#lab/api-server/store.ts'
import { eraseObject } from '../../../services/stored.ts'
import type { Refused } from '../../answers.ts'
import { listText, selected } from '../../reads/list.ts'
import { conflict, notAllowed, notFound } from '../../refusals.ts'
import { NAMESPACES, PODS, type Resource, type Target } from '../../resources.ts'
import { matcher } from '../../selectors.ts'
import type { DeleteOptions } from '../options.ts'
import { type Controllers, endedPod, endingObject } from './ending.ts'
import { checkMortal, emptyAndRemove, terminating } from './namespaces.ts'

// DELETE of one object or of a collection → what goes or begins to go, and the answer: an object, or JSON text.

export interface DeletionParts {
  readonly store: ApiStore
  readonly controllers: Controllers
}

/** Of what is served here, the real server sends these back; of the others it says that they are gone. */
const SENT_BACK: ReadonlySet<string> = new Set(['Service', 'Pod', 'ServiceAccount'])

export function deleteOne(parts: DeletionParts, target: Target, options: DeleteOptions): ApiObject | string {
  const { store, controllers } = parts
  const { resource, namespace, name = '' } = target
  const object = store.get(resource, namespace, name)
  if (object === undefined) throw notFound(resource, name)
  if (resource === NAMESPACES) checkMortal(name)
  checkPreconditions(resource, object, options)
  if (resource === NAMESPACES) return deleteNamespace(parts, object, options)
  const ending = endingObject(store, controllers, { resource, object, options })
  if (ending !== undefined) return options.dryRun ? ending : written(store, resource, object, ending)
  const gone = options.dryRun ? object : eraseObject(store, resource, object)!
  if (resource === PODS) return endedPod(gone, store.timestamp())
  return SENT_BACK.has(resource.kind) ? gone : successText(resource, gone)
}

/** The answer lists what was deleted, although the API's description promises a Status. */
export function deleteCollection(
  { store, controllers }: DeletionParts,
  { resource, namespace }: Target,
  { options, query }: { readonly options: DeleteOptions; readonly query: URLSearchParams },
): string {
  if (resource === NAMESPACES || (resource.namespaced && namespace === undefined)) throw notAllowed()
  const matches = matcher(query.get('labelSelector'), query.get('fieldSelector'))
  const { revision } = store
  const found = selected(store.snapshot(resource, revision)!, { namespace, matches }).map(({ object }) => object)
  for (const object of found) checkPreconditions(resource, object, options)
  if (options.dryRun) return listText(resource, { resourceVersion: String(revision) }, found)
  for (const object of found) {
    const ending = endingObject(store, controllers, { resource, object, options })
    if (ending === undefined) eraseObject(store, resource, object)
    else written(store, resource, object, ending)
  }
  return listText(resource, { resourceVersion: String(revision) }, found)
}

/** One that is ending already may stay as it is. */
function written(store: ApiStore, resource: Resource, before: ApiObject, ending: ApiObject): ApiObject {
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers } = before.metadata
  const isSame =
    deletionTimestamp === ending.metadata.deletionTimestamp &&
    deletionGracePeriodSeconds === ending.metadata.deletionGracePeriodSeconds &&
    JSON.stringify(finalizers) === JSON.stringify(ending.metadata.finalizers)
  return isSame ? before : store.write(resource, ending)
}

function deleteNamespace(
  { store, controllers }: DeletionParts,
  namespace: ApiObject,
  { dryRun }: DeleteOptions,
): ApiObject {
  if (namespace.metadata.deletionTimestamp !== undefined) return namespace
  const ending = terminating(namespace, store.timestamp())
  if (dryRun) return ending
  const stored = store.write(NAMESPACES, ending)
  if (controllers === 'none') emptyAndRemove(store, namespace.metadata.name!)
  return stored
}

function checkPreconditions(
  resource: Resource,
  { metadata }: ApiObject,
  { uid, resourceVersion }: DeleteOptions,
): void {
  const differs = (asked: string | undefined, found: string | undefined) => asked !== undefined && asked !== found
  if (differs(uid, metadata.uid)) {
    const again = 'The object might have been deleted and then recreated'
    throw unmet(resource, metadata, { field: 'UID', asked: uid!, found: metadata.uid!, again })
  }
  if (differs(resourceVersion, metadata.resourceVersion)) {
    const [asked, found] = [resourceVersion!, metadata.resourceVersion!]
    const again = 'The object might have been modified'
    throw unmet(resource, metadata, { field: 'ResourceVersion', asked, found, again })
  }
}

interface Difference {
  readonly field: 'UID' | 'ResourceVersion'
  readonly asked: string
  readonly found: string
  readonly again: string
}

/** Namespaces have words of their own; all others name the kind where the plural is expected, as the real server does. */
function unmet(resource: Resource, { name = '' }: ApiObject['metadata'], difference: Difference): Refused {
  const { field, asked, found, again } = difference
  if (resource === NAMESPACES) {
    const why = `Precondition failed: ${field} in precondition: ${asked}, ${field} in object meta: ${found}`
    return conflict(resource, name, why)
  }
  const why = `the ${field} in the precondition (${asked}) does not match the ${field} in record (${found}). ${again}`
  return conflict({ ...resource, plural: resource.kind }, name, why)
}

function successText({ plural, group }: Resource, { metadata: { name, uid } }: ApiObject): string {
  const details = { name, ...(group && { group }), kind: plural, uid }
  return JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details })
}
