import type { IncomingMessage } from 'node:http'
import { isDeepStrictEqual } from 'node:util'
import type { ApiObject, ApiStore } from '#lab/api-server/store.ts'
import { mediaType, Refused } from '../answers.ts'
import { applied, type Ownership, owned } from '../apply/apply.ts'
import { objectText } from '../reads/list.ts'
import { alreadyExists, conflict, notAllowed, notFound, notServed } from '../refusals.ts'
import { apiVersion, type Resource, type Target } from '../resources.ts'
import { checkedObject, checkIdentified, checkName, checkPorts, checkSameName } from './checks.ts'
import { withDefaults } from './defaults.ts'
import { deleteCollection, deleteOne } from './deletions.ts'
import { jsonPatched } from './json-patch.ts'
import { mergePatched, strategicPatched } from './merge-patch.ts'
import { requireNamespace } from './namespaces.ts'
import { deleteOptions, invalidPatchOptions, type WriteOptions, writeOptions } from './options.ts'

// GET one, POST, PUT, PATCH, DELETE → the object that is, was made, or went, under the rules of the real API server.
// A sandbox has no controllers, so `status` may be set through the object itself as well as through /status; an object
// that is replaced by one without a status keeps its own, as with the real server.

export interface WriteRequest {
  readonly request: IncomingMessage
  readonly target: Target
  /** Undefined where the body is empty. */
  readonly body: unknown
  readonly query: URLSearchParams
}

export interface WriteAnswer {
  readonly code: number
  /** JSON. */
  readonly text: string
}

interface SaveOptions {
  /** The object as it is, if it is there. */
  readonly before?: ApiObject | undefined
  readonly options: WriteOptions
}

const APPLY = 'application/apply-patch+yaml'

export class ApiWrites {
  readonly #store: ApiStore

  constructor(store: ApiStore) {
    this.#store = store
  }

  answer({ request, target, body, query }: WriteRequest): WriteAnswer {
    const { method } = request
    if (target.subresource !== undefined && (target.subresource !== 'status' || method === 'DELETE')) throw notServed()
    if (method === 'DELETE') return { code: 200, text: this.#delete({ request, target, body, query }) }
    if (method === 'GET') return answer(200, this.#existing(target))
    const options = writeOptions(request, query)
    if (method === 'POST' && target.name === undefined) return answer(201, this.#create(target, body, options))
    if (target.name === undefined || method === 'POST') throw notAllowed()
    if (method === 'PUT') return answer(200, this.#replace(target, checkedObject(target, body), options))
    if (method !== 'PATCH') throw notAllowed()
    if (mediaType(request) === APPLY) return this.#apply(target, body, options)
    return answer(200, this.#patch(target, patchFunction(request)(this.#existing(target), body), options))
  }

  #create(target: Target, body: unknown, options: WriteOptions): ApiObject {
    const { resource } = target
    const sent = checkedObject(target, body)
    requireNamespace(this.#store, sent.metadata.namespace)
    const { generateName } = sent.metadata
    const name = sent.metadata.name || (generateName && `${generateName}${Math.random().toString(36).slice(2, 7)}`)
    checkName(resource, name)
    if (sent.metadata.resourceVersion)
      throw new Refused(400, 'resourceVersion should not be set on objects to be created')
    if (this.#store.get(resource, sent.metadata.namespace, name!)) throw alreadyExists(resource, name!)
    const { uid: _uid, creationTimestamp: _born, ...metadata } = sent.metadata
    return this.#update(target, { ...sent, metadata: { ...metadata, name: name! } }, { options })
  }

  #replace(target: Target, sent: ApiObject, options: WriteOptions): ApiObject {
    const before = this.#existing(target)
    checkSameName(target, sent)
    this.#checkVersion(target, sent, before)
    const { managedFields } = sent.metadata
    const { status = before.status } = sent
    const alone = { ...before, metadata: { ...before.metadata, managedFields }, status: sent.status }
    const kept = status === undefined ? {} : { status }
    const whole = { ...sent, metadata: { ...sent.metadata, name: target.name! }, ...kept }
    return this.#update(target, target.subresource === 'status' ? alone : whole, { before, options })
  }

  /** A patch that names no resourceVersion of its own carries the current one, and so never conflicts. */
  #patch(target: Target, patched: unknown, options: WriteOptions): ApiObject {
    if (options.force) {
      const message = 'Forbidden: may not be specified for non-apply patch'
      throw invalidPatchOptions({ reason: 'FieldValueForbidden', field: 'force', message })
    }
    return this.#replace(target, checkedObject(target, patched), options)
  }

  /** Server-side apply makes what is not there. */
  #apply(target: Target, body: unknown, options: WriteOptions): WriteAnswer {
    if (!options.named) {
      const message = 'Required value: is required for apply patch'
      throw invalidPatchOptions({ reason: 'FieldValueRequired', field: 'fieldManager', message })
    }
    const { resource, name = '', subresource } = target
    const config = checkedObject(target, body)
    checkIdentified(config, resource)
    if (config.metadata.managedFields !== undefined) throw new Refused(400, 'metadata.managedFields must be nil')
    checkSameName(target, config)
    const before = this.#store.get(resource, target.namespace, name)
    if (before === undefined && subresource !== undefined) throw notFound(resource, name)
    if (before === undefined) {
      requireNamespace(this.#store, target.namespace)
      checkName(resource, name)
    }
    this.#checkVersion(target, config, before)
    const { namespace } = target
    const fresh = { metadata: { name, ...(namespace !== undefined && { namespace }) } }
    const { apiVersion: _version, kind: _kind, ...whole } = config
    const part = subresource === 'status' ? { metadata: {}, status: config.status } : whole
    const ownership = { ...this.#ownership(target, options, 'Apply'), force: options.force }
    const next = applied(before ?? fresh, part, ownership)
    return answer(before === undefined ? 201 : 200, this.#commit(resource, next, { before, options }))
  }

  #delete({ target, body, query }: WriteRequest): string {
    const options = deleteOptions(body, query)
    if (target.name !== undefined) return deleteOne(this.#store, target, options)
    return deleteCollection(this.#store, target, { options, query })
  }

  /** Every write but server-side apply: the writer owns what it changed, defaults included. */
  #update(target: Target, next: ApiObject, { before, options }: SaveOptions): ApiObject {
    const { resource, subresource } = target
    const full = subresource === 'status' ? next : this.#complete(resource, next, before)
    const tracked = owned(before, full, this.#ownership(target, options, 'Update'))
    return this.#save(resource, tracked, { before, options })
  }

  /** What was applied belongs to its manager, and the defaults to none. */
  #commit(resource: Resource, next: ApiObject, change: SaveOptions): ApiObject {
    return this.#save(resource, this.#complete(resource, next, change.before), change)
  }

  #complete(resource: Resource, object: ApiObject, before: ApiObject | undefined): ApiObject {
    const others = resource.kind === 'Service' ? this.#store.list('Service').filter(it => it !== before) : []
    const full = withDefaults({ ...object, kind: resource.kind }, { before, others })
    checkPorts(resource, full)
    return full
  }

  /** As the real server, which stores nothing where nothing changes: the resourceVersion stays. */
  #save(resource: Resource, object: ApiObject, { before, options }: SaveOptions): ApiObject {
    const preview = this.#store.preview(resource, object)
    if (options.dryRun) return preview
    return before !== undefined && isDeepStrictEqual(preview, before) ? before : this.#store.write(resource, object)
  }

  /** A resourceVersion or uid that was sent must be that of the object. */
  #checkVersion({ resource, name = '' }: Target, { metadata }: ApiObject, before: ApiObject | undefined): void {
    const { resourceVersion, uid } = metadata
    const isStale = resourceVersion && resourceVersion !== before?.metadata.resourceVersion
    if (!isStale && (!uid || uid === before?.metadata.uid)) return
    const why = 'the object has been modified; please apply your changes to the latest version and try again'
    throw conflict(resource, name, why)
  }

  #ownership({ resource, subresource }: Target, { manager }: WriteOptions, operation: 'Apply' | 'Update'): Ownership {
    const part = subresource === undefined ? {} : { subresource }
    const name = { manager, operation, apiVersion: apiVersion(resource), ...part } as const
    return { kind: resource.kind, name, time: this.#store.timestamp() }
  }

  #existing({ resource, namespace, name = '' }: Target): ApiObject {
    const object = this.#store.get(resource, namespace, name)
    if (object === undefined) throw notFound(resource, name)
    return object
  }
}

function answer(code: number, object: ApiObject): WriteAnswer {
  return { code, text: objectText(object) }
}

type PatchFunction = (target: unknown, patch: unknown) => unknown

const PATCH_FUNCTIONS: Readonly<Record<string, PatchFunction>> = {
  'application/json-patch+json': jsonPatched,
  'application/merge-patch+json': mergePatched,
  'application/strategic-merge-patch+json': strategicPatched,
}

function patchFunction(request: IncomingMessage): PatchFunction {
  const type = mediaType(request)
  const known = Object.hasOwn(PATCH_FUNCTIONS, type) ? PATCH_FUNCTIONS[type] : undefined
  if (known !== undefined) return known
  const types = [...Object.keys(PATCH_FUNCTIONS), APPLY].join(', ')
  throw new Refused(415, `a patch cannot be ${JSON.stringify(type)}: use one of ${types}`)
}
