import type { ApiObject, ApiStore } from '#lab/api-server/store.ts'
import type { Refused } from '../answers.ts'
import { listText, objectText, selected } from '../reads/list.ts'
import { conflict, notAllowed, notFound } from '../refusals.ts'
import { NAMESPACES, type Resource, type Target } from '../resources.ts'
import { matcher } from '../selectors.ts'
import { checkMortal, emptyAndRemove, terminating } from './namespaces.ts'
import type { DeleteOptions } from './options.ts'

// DELETE of one object or of a collection → what goes, and the JSON text of the answer.

export function deleteOne(store: ApiStore, target: Target, options: DeleteOptions): string {
  const { resource, namespace, name = '' } = target
  const object = store.get(resource, namespace, name)
  if (object === undefined) throw notFound(resource, name)
  if (resource === NAMESPACES) checkMortal(name)
  checkPreconditions(resource, object, options)
  if (resource === NAMESPACES) return deleteNamespace(store, object, options)
  const gone = options.dryRun ? object : store.erase(resource, namespace, name)!
  // Of what is served here, the real server sends only Services back.
  return resource.kind === 'Service' ? objectText(gone) : successText(resource, gone)
}

/** The answer lists what was deleted, although the API's description promises a Status. */
export function deleteCollection(
  store: ApiStore,
  { resource, namespace }: Target,
  { options, query }: { readonly options: DeleteOptions; readonly query: URLSearchParams },
): string {
  if (resource === NAMESPACES || (resource.namespaced && namespace === undefined)) throw notAllowed()
  const matches = matcher(query.get('labelSelector'), query.get('fieldSelector'))
  const { revision } = store
  const found = selected(store.snapshot(resource, revision)!, { namespace, matches }).map(({ object }) => object)
  for (const object of found) checkPreconditions(resource, object, options)
  if (!options.dryRun) for (const { metadata } of found) store.erase(resource, metadata.namespace, metadata.name!)
  return listText(resource, { resourceVersion: String(revision) }, found)
}

function deleteNamespace(store: ApiStore, namespace: ApiObject, { dryRun }: DeleteOptions): string {
  const ending = terminating(namespace, store.timestamp())
  if (dryRun) return objectText(ending)
  const text = objectText(store.write(NAMESPACES, ending))
  emptyAndRemove(store, namespace.metadata.name!)
  return text
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
