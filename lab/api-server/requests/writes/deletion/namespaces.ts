import type { ApiObject, ApiStore } from '#lab/api-server/store.ts'
import { eraseObject } from '../../../services/stored.ts'
import { forbidden, notFound } from '../../refusals.ts'
import { NAMESPACES, RESOURCES, type Resource } from '../../resources.ts'

// Namespaces hold objects: none is made in a namespace that is not there, and what is in one goes with it.

/** The real server's NamespaceLifecycle admission keeps these three for ever. */
const IMMORTAL: ReadonlySet<string> = new Set(['default', 'kube-system', 'kube-public'])

/** Nothing new comes into one that is on its way out. */
export function requireNamespace(store: ApiStore, name: string | undefined, { resource, created }: NewObject): void {
  if (name === undefined) return
  const namespace = store.get(NAMESPACES, undefined, name)
  if (namespace === undefined) throw notFound(NAMESPACES, name)
  if (namespace.metadata.deletionTimestamp === undefined) return
  const message = `namespace ${name} is being terminated`
  const why = `unable to create new content in namespace ${name} because it is being terminated`
  const causes = [{ reason: 'NamespaceTerminating', message, field: 'metadata.namespace' }]
  throw forbidden(resource, created, why, causes)
}

interface NewObject {
  readonly resource: Resource
  readonly created: string
}

export function checkMortal(name: string): void {
  if (IMMORTAL.has(name)) throw forbidden(NAMESPACES, name, 'this namespace may not be deleted')
}

/** What the answer to a DELETE shows: the real server leaves the rest to a controller. */
export function terminating(namespace: ApiObject, deletionTimestamp: string): ApiObject {
  const status = { ...(namespace.status as object | undefined), phase: 'Terminating' }
  return { ...namespace, metadata: { ...namespace.metadata, deletionTimestamp }, status }
}

/** The work of that controller, at once: the objects, and then the namespace itself. */
export function emptyAndRemove(store: ApiStore, name: string): void {
  for (const resource of RESOURCES.filter(({ namespaced }) => namespaced)) {
    const { shelf } = store.snapshot(resource, store.revision)!
    const inside = [...shelf.values()].filter(({ metadata }) => metadata.namespace === name)
    for (const object of inside) eraseObject(store, resource, object)
  }
  store.erase(NAMESPACES, undefined, name)
}
