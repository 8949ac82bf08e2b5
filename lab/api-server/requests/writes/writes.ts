import type { IncomingMessage } from 'node:http'
import type { ApiObject, ApiStore } from '#lab/api-server/store.ts'
import { mediaType, Refused } from '../answers.ts'
import { applied } from '../apply/apply.ts'
import { conflict, notAllowed, notFound, notServed } from '../refusals.ts'
import type { Target } from '../resources.ts'
import {
  checkedObject,
  checkIdentified,
  checkName,
  checkNamed,
  checkSameName,
  checkVersioned,
} from './checks/checks.ts'
import { decodedConfig, decodedObject, decodedPatch } from './decoding/decoded.ts'
import { deleteCollection, deleteOne } from './deletion/deletions.ts'
import type { Controllers } from './deletion/ending.ts'
import { requireNamespace } from './deletion/namespaces.ts'
import { deleteOptions, invalidPatchOptions, type WriteOptions, writeOptions } from './options.ts'
import { boundPod } from './parts/binding.ts'
import { scaled, scaleOf } from './parts/scale.ts'
import { APPLY, patched } from './patches/patches.ts'
import { Saving, type SavingParts } from './saving.ts'
import { newObject, nextObject, nextStatus } from './server-fields.ts'

// GET one, POST, PUT, PATCH, DELETE → the object that is, was made, or went, under the rules of the real API server.
// A sandbox may have no controllers, so the `status` of most kinds may be set through the object itself as well as through
// /status; an object that is replaced by one without a status keeps its own, as with the real server.

export interface WriteRequest {
  readonly request: IncomingMessage
  readonly target: Target
  /** Undefined where the body is empty. */
  readonly body: unknown
  readonly query: URLSearchParams
}

export interface WriteAnswer {
  readonly code: number
  /** An object, or JSON where a deletion answers with something else. */
  readonly sent: ApiObject | string
  readonly warnings?: readonly string[]
}

export interface WriteParts extends SavingParts {
  readonly controllers: Controllers
}

const SUCCESS = JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 })

export class ApiWrites {
  readonly #parts: WriteParts
  readonly #store: ApiStore
  readonly #saving: Saving

  constructor(parts: WriteParts) {
    this.#parts = parts
    this.#store = parts.store
    this.#saving = new Saving(parts)
  }

  answer(asked: WriteRequest): WriteAnswer {
    const { target, request } = asked
    const { method } = request
    switch (target.subresource) {
      case undefined:
        if (method === 'DELETE') return { code: 200, sent: this.#delete(asked) }
        if (method === 'POST' && target.name === undefined) return this.#create(asked)
        return this.#change(asked)
      case 'status':
        return this.#change(asked)
      case 'finalize':
        return this.#finalize(asked)
      case 'scale':
        return this.#scale(asked)
      case 'binding':
        return this.#bind(asked)
      case 'eviction':
        return this.#evict(asked)
      default:
        throw notServed()
    }
  }

  #change(asked: WriteRequest): WriteAnswer {
    const { target, request, body, query } = asked
    const { method } = request
    if (method === 'GET') return { code: 200, sent: this.#existing(target) }
    if (target.name === undefined || (method !== 'PUT' && method !== 'PATCH')) throw notAllowed()
    const options = writeOptions(request, query)
    if (mediaType(request) === APPLY && method === 'PATCH') return this.#apply(target, body, options)
    const next = method === 'PUT' ? body : this.#patched(asked, this.#existing(target), options)
    const decode = method === 'PUT' ? decodedObject : decodedPatch
    const { object, warnings } = decode(target.resource, checkedObject(target, next), options.validation)
    if (method === 'PUT') checkNamed(target, object)
    return { code: 200, sent: this.#replace(target, object, options), warnings }
  }

  #create({ request, target, body, query }: WriteRequest): WriteAnswer {
    const { resource } = target
    const options = writeOptions(request, query)
    const { object: sent, warnings } = decodedObject(resource, checkedObject(target, body), options.validation)
    const { generateName, namespace } = sent.metadata
    const name = sent.metadata.name || (generateName && `${generateName}${randomLetters()}`)
    requireNamespace(this.#store, namespace, { resource, created: name ?? '' })
    checkName(resource, name)
    if (sent.metadata.resourceVersion)
      throw new Refused(400, 'resourceVersion should not be set on objects to be created')
    const fresh = newObject(resource, { ...sent, metadata: { ...sent.metadata, name: name! } })
    return { code: 201, sent: this.#saving.update(target, fresh, { options }), warnings }
  }

  #replace(target: Target, sent: ApiObject, options: WriteOptions): ApiObject {
    const before = this.#existing(target)
    checkSameName(target, sent)
    this.#checkVersion(target, sent, before)
    checkVersioned(target.resource, sent, target.name!)
    const whole = { ...sent, metadata: { ...sent.metadata, name: target.name! } }
    const next = (target.subresource === 'status' ? nextStatus : nextObject)(target.resource, whole, before)
    return this.#saving.update(target, next, { before, options })
  }

  /** A patch that names no resourceVersion of its own carries the current one, and so never conflicts. */
  #patched({ target, request, body }: WriteRequest, object: ApiObject, { force }: WriteOptions): unknown {
    if (!force) return patched(request, target.resource.kind, object, body)
    const message = 'Forbidden: may not be specified for non-apply patch'
    throw invalidPatchOptions({ reason: 'FieldValueForbidden', field: 'force', message })
  }

  /** Server-side apply makes what is not there. */
  #apply(target: Target, body: unknown, options: WriteOptions): WriteAnswer {
    if (!options.named) {
      const message = 'Required value: is required for apply patch'
      throw invalidPatchOptions({ reason: 'FieldValueRequired', field: 'fieldManager', message })
    }
    const { resource, name = '', namespace, subresource } = target
    const checked = checkedObject(target, body)
    checkIdentified(checked, resource)
    const config = decodedConfig(resource, checked)
    if (config.metadata.managedFields !== undefined) throw new Refused(400, 'metadata.managedFields must be nil')
    checkSameName(target, config)
    const before = this.#store.get(resource, namespace, name)
    if (before === undefined && subresource !== undefined) throw notFound(resource, name)
    if (before === undefined) {
      requireNamespace(this.#store, namespace, { resource, created: name })
      checkName(resource, name)
    }
    this.#checkVersion(target, config, before)
    const fresh = { metadata: { name, ...(namespace !== undefined && { namespace }) } }
    const { apiVersion: _version, kind: _kind, ...whole } = config
    const part = subresource === 'status' ? { metadata: {}, status: config.status } : whole
    const ownership = { ...this.#saving.ownership(target, options, 'Apply'), force: options.force }
    const merged = applied(before ?? fresh, part, ownership)
    const next = before === undefined ? newObject(resource, merged) : merged
    const stored = this.#saving.commit(target, next, { before, options })
    return { code: before === undefined ? 201 : 200, sent: stored }
  }

  #delete({ target, body, query }: WriteRequest): ApiObject | string {
    const options = deleteOptions(body, query)
    if (target.name !== undefined) return deleteOne(this.#parts, target, options)
    return deleteCollection(this.#parts, target, { options, query })
  }

  /** A namespace may go when no finalizer is left in its spec. */
  #finalize({ request, target, body, query }: WriteRequest): WriteAnswer {
    if (request.method !== 'PUT') throw notAllowed()
    const before = this.#existing(target)
    const sent = checkedObject(target, body)
    this.#checkVersion(target, sent, before)
    const { finalizers } = (sent.spec ?? {}) as { readonly finalizers?: unknown }
    const next = { ...before, spec: { ...(before.spec as object), finalizers: finalizers ?? [] } }
    return { code: 200, sent: this.#saving.update(target, next, { before, options: writeOptions(request, query) }) }
  }

  #scale(asked: WriteRequest): WriteAnswer {
    const { request, target, body, query } = asked
    if (!Object.hasOwn(target.resource.subresources, 'scale')) throw notServed()
    const before = this.#existing(target)
    if (request.method === 'GET') return { code: 200, sent: scaleOf(before) }
    if (request.method !== 'PUT' && request.method !== 'PATCH') throw notAllowed()
    const options = writeOptions(request, query)
    const scale = request.method === 'PUT' ? body : this.#patched(asked, scaleOf(before), options)
    return { code: 200, sent: scaleOf(this.#replace(target, scaled(before, scale), options)) }
  }

  #bind({ request, target, body, query }: WriteRequest): WriteAnswer {
    if (request.method !== 'POST' || target.resource.kind !== 'Pod') throw notServed()
    const before = this.#existing(target)
    const next = boundPod(before, body, this.#store.timestamp())
    this.#saving.update(target, next, { before, options: writeOptions(request, query) })
    return { code: 201, sent: SUCCESS }
  }

  /** There are no disruption budgets here that would refuse. */
  #evict({ request, target, body }: WriteRequest): WriteAnswer {
    if (request.method !== 'POST' || target.resource.kind !== 'Pod') throw notServed()
    const { deleteOptions: asked } = (body ?? {}) as { readonly deleteOptions?: object }
    deleteOne(this.#parts, target, deleteOptions(asked ?? {}, new URLSearchParams()))
    return { code: 201, sent: SUCCESS }
  }

  /** A resourceVersion or uid that was sent must be that of the object. */
  #checkVersion({ resource, name = '' }: Target, { metadata }: ApiObject, before: ApiObject | undefined): void {
    const { resourceVersion, uid } = metadata
    const isStale = resourceVersion && resourceVersion !== before?.metadata.resourceVersion
    if (!isStale && (!uid || uid === before?.metadata.uid)) return
    const why = 'the object has been modified; please apply your changes to the latest version and try again'
    throw conflict(resource, name, why)
  }

  #existing({ resource, namespace, name = '' }: Target): ApiObject {
    const object = this.#store.get(resource, namespace, name)
    if (object === undefined) throw notFound(resource, name)
    return object
  }
}

/** No vowels, so that no words come out, and none of the digits that look like letters. */
const LETTERS = 'bcdfghjklmnpqrstvwxz2456789'

function randomLetters(): string {
  return Array.from({ length: 5 }, () => LETTERS[Math.floor(Math.random() * LETTERS.length)]).join('')
}
