import { randomUUID } from 'node:crypto'
import type { KubernetesObject } from '@kubernetes/client-node'
import type { Cidr } from '#values/cidr.ts'
import { servedForm, servedShelf, storedAs, storedForm } from './event-forms.ts'
import { firstObjects } from './first-objects.ts'
import { type Change, History } from './history.ts'
import type { ApiObject } from './object.ts'
import { Refused } from './requests/answers.ts'
import { apiVersion, RESOURCES, type Resource, resourceOf } from './requests/resources.ts'
import { mergePatched } from './requests/writes/patches/merge-patch.ts'
import { clusterIPRanges } from './services/service-ranges.ts'
import type { Storage, StoredState } from './storage/database.ts'

// Objects and what became of them: every change has the next resourceVersion and is remembered for a while, as in etcd.

export type { Change } from './history.ts'
export type { ApiObject, Metadata } from './object.ts'

export interface StoreOptions {
  /** How many changes are remembered: a watch that starts further back gets 410. */
  readonly history?: number
  readonly now?: () => number
  /** Of the ServiceCIDR `kubernetes`, which is there from the start. */
  readonly serviceRanges?: readonly Cidr[]
  /** Keeps the objects; what is in it is there from the start. */
  readonly storage?: Storage
}

export interface Snapshot {
  readonly keys: readonly string[]
  readonly shelf: ReadonlyMap<string, ApiObject>
}

type Shelf = Map<string, ApiObject>

export class ApiStore {
  readonly #shelves = new Map<Resource, Shelf>()
  readonly #sortedKeys = new Map<Resource, readonly string[]>()
  readonly #listeners = new Set<() => void>()
  readonly #storage: Storage | undefined
  readonly #history: History
  /** Milliseconds since the epoch. */
  readonly now: () => number
  #revision = 1

  constructor({ history = 10_000, now = Date.now, serviceRanges = clusterIPRanges({}), storage }: StoreOptions = {}) {
    this.now = now
    this.#storage = storage
    const kept = storage?.load()
    this.#history = new History(history, kept?.revision ?? 1)
    if (kept === undefined) this.#begin(serviceRanges)
    else this.#goOn(kept)
  }

  /** All of them belong to the first revision: an unused cluster is at 1, and what a test puts first at 2. */
  #begin(serviceRanges: readonly Cidr[]): void {
    for (const { resource, object } of firstObjects(serviceRanges, this.timestamp())) {
      const stamps = { previous: undefined, resourceVersion: String(this.#revision) }
      const stored = this.#stamped(resource, object, stamps)
      this.#storage?.write(shelfName(resource), object.metadata.name!, stored)
      this.#shelf(resource).set(object.metadata.name!, stored)
    }
  }

  /** Where the last store with this storage ended. Its history is forgotten: watches start here or list again. */
  #goOn({ revision, objects }: StoredState): void {
    this.#revision = revision
    const shelves = new Map(RESOURCES.map(resource => [shelfName(resource), resource]))
    for (const { shelf, key, object } of objects) {
      const resource = shelves.get(shelf)
      if (resource === undefined) continue
      const kept = storedForm(resource, { kind: resource.kind, apiVersion: apiVersion(resource), ...object })
      this.#shelf(resource).set(key, kept)
      if (storedAs(resource) === resource) continue
      this.#storage?.write(shelfName(storedAs(resource)), key, kept)
      this.#storage?.erase(shelf, key, revision)
    }
  }

  /** The resourceVersion of the newest change. */
  get revision(): number {
    return this.#revision
  }

  /** The newest resourceVersion whose successors are no longer all remembered: watches may start here, not before. */
  get compacted(): number {
    return this.#history.compacted
  }

  /** Creates or replaces, whatever is there, in any namespace: for tests and the sandbox, which own the cluster. */
  put(object: ApiObject | KubernetesObject): ApiObject {
    const resource = resourceOf(object.kind, object.apiVersion)
    if (resource === undefined) throw new Refused(404, `kind ${object.kind} of ${object.apiVersion} is not served`)
    const copy = structuredClone(object) as ApiObject
    const namespace = resource.namespaced ? (copy.metadata.namespace ?? 'default') : undefined
    return this.write(resource, { ...copy, metadata: { ...copy.metadata, ...(namespace && { namespace }) } })
  }

  /** Applies a JSON merge patch. */
  patch(kind: string, key: { namespace?: string; name: string }, patch: object): ApiObject {
    const resource = knownResource(kind)
    const before = this.get(resource, key.namespace, key.name)
    if (before === undefined) throw new Refused(404, `${resource.plural} ${JSON.stringify(key.name)} not found`)
    return this.write(resource, mergePatched(before, structuredClone(patch)) as ApiObject)
  }

  /** Whether there was something to remove. */
  remove(kind: string, namespace: string | undefined, name: string): boolean {
    return this.erase(knownResource(kind), namespace, name) !== undefined
  }

  list(kind: string): readonly ApiObject[] {
    return [...this.#shelf(knownResource(kind)).values()]
  }

  get(resource: Resource, namespace: string | undefined, name: string): ApiObject | undefined {
    const stored = this.#shelf(resource).get(keyOf(namespace, name))
    return stored && servedForm(resource, stored)
  }

  /** Puts an object on its shelf as it is, but for what the API server itself fills in. */
  write(asked: Resource, object: ApiObject): ApiObject {
    const resource = storedAs(asked)
    const { name, namespace } = object.metadata
    if (name === undefined || name === '') throw new Refused(422, 'metadata.name: Required value: name is required')
    const key = keyOf(namespace, name)
    const shelf = this.#shelf(resource)
    const previous = shelf.get(key)
    const stamps = { previous, resourceVersion: String(++this.#revision) }
    const stored = this.#stamped(resource, storedForm(asked, object), stamps)
    this.#storage?.write(shelfName(resource), key, stored)
    shelf.set(key, stored)
    if (previous === undefined) this.#sortedKeys.delete(resource)
    const type = previous ? 'MODIFIED' : 'ADDED'
    this.#remember({ type, revision: this.#revision, resource, object: stored, ...(previous && { previous }) })
    return servedForm(asked, stored)
  }

  /** The answer of a `write` that stores nothing: a new object has no resourceVersion yet, another keeps its own. */
  preview(resource: Resource, object: ApiObject): ApiObject {
    const previous = this.get(resource, object.metadata.namespace, object.metadata.name!)
    return this.#stamped(resource, object, { previous, resourceVersion: previous?.metadata.resourceVersion })
  }

  erase(asked: Resource, namespace: string | undefined, name: string): ApiObject | undefined {
    const resource = storedAs(asked)
    const key = keyOf(namespace, name)
    const previous = this.#shelf(resource).get(key)
    if (previous === undefined) return undefined
    const revision = ++this.#revision
    this.#storage?.erase(shelfName(resource), key, revision)
    this.#shelf(resource).delete(key)
    this.#sortedKeys.delete(resource)
    const object = atRevision(previous, revision)
    this.#remember({ type: 'DELETED', revision, resource, object, previous })
    return servedForm(asked, object)
  }

  /** Keys in the order of lists, and the shelf as it was at that revision; nothing if that is forgotten. */
  snapshot(asked: Resource, revision: number): Snapshot | undefined {
    if (revision < this.compacted) return undefined
    const resource = storedAs(asked)
    const later = this.#history.since(revision, resource)
    if (later.length === 0) return { keys: this.#keys(resource), shelf: servedShelf(asked, this.#shelf(resource)) }
    const shelf = new Map(this.#shelf(resource))
    for (const { object, previous } of later.toReversed()) {
      const key = keyOf(object.metadata.namespace, object.metadata.name!)
      if (previous === undefined) shelf.delete(key)
      else shelf.set(key, previous)
    }
    return { keys: [...shelf.keys()].sort(), shelf: servedShelf(asked, shelf) }
  }

  /** The change with this revision, if it is still remembered. */
  change(revision: number): Change | undefined {
    return this.#history.at(revision)
  }

  /** Forgets the past: every older resourceVersion becomes 410. */
  compact(): void {
    this.#history.compact(this.#revision)
  }

  /** Now or so many seconds later, in the precision of Kubernetes. */
  timestamp(later = 0): string {
    return new Date(this.now() + later * 1000).toISOString().replace(/\.\d+Z$/, 'Z')
  }

  /** Called after every change. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #shelf(asked: Resource): Shelf {
    const resource = storedAs(asked)
    const shelf = this.#shelves.get(resource) ?? new Map<string, ApiObject>()
    this.#shelves.set(resource, shelf)
    return shelf
  }

  #keys(resource: Resource): readonly string[] {
    const keys = this.#sortedKeys.get(resource) ?? [...this.#shelf(resource).keys()].sort()
    this.#sortedKeys.set(resource, keys)
    return keys
  }

  #stamped(
    resource: Resource,
    object: ApiObject,
    { previous, resourceVersion }: { previous: ApiObject | undefined; resourceVersion: string | undefined },
  ): ApiObject {
    const { resourceVersion: _sent, ...sent } = object.metadata
    const metadata = {
      ...sent,
      uid: previous?.metadata.uid ?? sent.uid ?? randomUUID(),
      ...(resourceVersion !== undefined && { resourceVersion }),
      creationTimestamp: previous?.metadata.creationTimestamp ?? sent.creationTimestamp ?? this.timestamp(),
    }
    return { ...object, kind: resource.kind, apiVersion: apiVersion(resource), metadata }
  }

  #remember(change: Change): void {
    this.#history.add(change)
    for (const listener of this.#listeners) listener()
  }
}

/** The object as a watch sends its deletion: the last state under the resourceVersion of the change. */
export function atRevision(object: ApiObject, revision: number): ApiObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } }
}

/** Sorts as etcd does: `/` before everything a name may hold. */
function keyOf(namespace: string | undefined, name: string): string {
  return namespace === undefined ? name : `${namespace}/${name}`
}

/** `apps/v1/deployments` */
function shelfName(resource: Resource): string {
  return `${apiVersion(resource)}/${resource.plural}`
}

function knownResource(kind: string): Resource {
  const resource = resourceOf(kind)
  if (resource === undefined) throw new Error(`the API server has no kind ${JSON.stringify(kind)}`)
  return resource
}
