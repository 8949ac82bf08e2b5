import type { IncomingMessage } from 'node:http'
import type { ApiObject, ApiStore } from '#lab/api-server/store.ts'
import { Refused } from '../answers.ts'
import { apiVersion, type Resource, type Target } from '../resources.ts'
import { withDefaults } from './defaults.ts'
import { jsonPatched, mergePatched, strategicPatched } from './merge-patch.ts'

// GET one, POST, PUT, PATCH, DELETE → the object that is, was made, or went, under the rules of the real API server.
// A sandbox has no controllers, so `status` may be set through the object itself as well as through /status.

export interface Applied {
  readonly code: number
  readonly object: ApiObject
}

const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/

export class ApiWrites {
  readonly #store: ApiStore

  constructor(store: ApiStore) {
    this.#store = store
  }

  apply(request: IncomingMessage, target: Target, body: unknown): Applied {
    const { method } = request
    if (target.subresource !== undefined && (target.subresource !== 'status' || method === 'DELETE')) {
      throw new Refused(404, 'the server could not find the requested resource')
    }
    if (method === 'POST' && target.name === undefined) return { code: 201, object: this.#create(target, body) }
    if (target.name === undefined || method === 'POST') throw notAllowed()
    if (method === 'GET') return { code: 200, object: this.#existing(target) }
    if (method === 'DELETE') return { code: 200, object: this.#remove(target) }
    if (method === 'PUT') return { code: 200, object: this.#replace(target, checkedObject(target, body)) }
    if (method === 'PATCH') return { code: 200, object: this.#patch(target, patchFunction(request), body) }
    throw notAllowed()
  }

  #create(target: Target, body: unknown): ApiObject {
    const { resource } = target
    const sent = checkedObject(target, body)
    const { generateName } = sent.metadata
    const name = sent.metadata.name || (generateName && `${generateName}${Math.random().toString(36).slice(2, 7)}`)
    checkName(resource, name)
    if (sent.metadata.resourceVersion)
      throw new Refused(400, 'resourceVersion should not be set on objects to be created')
    if (this.#store.get(resource, sent.metadata.namespace, name!)) {
      throw new Refused(409, `${label(resource, name!)} already exists`, {
        reason: 'AlreadyExists',
        ...about(resource, name!),
      })
    }
    const { uid: _uid, creationTimestamp: _born, ...metadata } = sent.metadata
    return this.#write(resource, { ...sent, metadata: { ...metadata, name: name! } })
  }

  #replace(target: Target, sent: ApiObject): ApiObject {
    const before = this.#existing(target)
    const { resource, name = '', subresource } = target
    if ((sent.metadata.name ?? name) !== name) {
      throw new Refused(
        400,
        `the name of the object (${sent.metadata.name}) does not match the name on the URL (${name})`,
      )
    }
    const [expected, uid] = [sent.metadata.resourceVersion, sent.metadata.uid]
    if ((expected && expected !== before.metadata.resourceVersion) || (uid && uid !== before.metadata.uid)) {
      const message = `Operation cannot be fulfilled on ${label(resource, name)}: the object has been modified; please apply your changes to the latest version and try again`
      throw new Refused(409, message, about(resource, name))
    }
    if (subresource === 'status') return this.#store.write(resource, { ...before, status: sent.status })
    return this.#write(resource, { ...sent, metadata: { ...sent.metadata, name } }, before)
  }

  #write(resource: Resource, object: ApiObject, before?: ApiObject): ApiObject {
    const others = resource.kind === 'Service' ? this.#store.list('Service').filter(it => it !== before) : []
    const full = withDefaults({ ...object, kind: resource.kind }, { before, others })
    return this.#store.write(resource, full)
  }

  #patch(target: Target, apply: PatchFunction, patch: unknown): ApiObject {
    const after = apply(this.#existing(target), patch)
    // A patch that names no resourceVersion of its own carries the current one, and so never conflicts.
    return this.#replace(target, checkedObject(target, after))
  }

  #remove(target: Target): ApiObject {
    this.#existing(target)
    return this.#store.erase(target.resource, target.namespace, target.name!)!
  }

  #existing({ resource, namespace, name = '' }: Target): ApiObject {
    const object = this.#store.get(resource, namespace, name)
    if (object === undefined) throw new Refused(404, `${label(resource, name)} not found`, about(resource, name))
    return object
  }
}

/** The body, shown to be an object of this resource in this namespace. */
function checkedObject({ resource, namespace }: Target, body: unknown): ApiObject {
  const sent = body as Partial<ApiObject> | null
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent))
    throw new Refused(400, 'the body is not an object')
  if (
    (sent.kind ?? resource.kind) !== resource.kind ||
    (sent.apiVersion ?? apiVersion(resource)) !== apiVersion(resource)
  ) {
    const wanted = `${apiVersion(resource)}, Kind=${resource.kind}`
    throw new Refused(400, `${sent.apiVersion}, Kind=${sent.kind} does not match the expected ${wanted}`)
  }
  const metadata = sent.metadata ?? {}
  if (typeof metadata !== 'object' || Array.isArray(metadata)) throw new Refused(400, 'metadata is not an object')
  if (!resource.namespaced) return { ...sent, metadata }
  if (namespace === undefined) throw new Refused(405, 'the namespace must be in the URL')
  if ((metadata.namespace ?? namespace) !== namespace) {
    throw new Refused(400, `the namespace of the provided object does not match the namespace sent on the request`)
  }
  return { ...sent, metadata: { ...metadata, namespace } }
}

function checkName(resource: Resource, name: unknown): void {
  if (name === undefined || name === '') {
    throw new Refused(
      422,
      `${resource.kind} "" is invalid: metadata.name: Required value: name or generateName is required`,
    )
  }
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw new Refused(422, `${resource.kind} is invalid: metadata.name: Invalid value: ${JSON.stringify(name)}`)
  }
}

type PatchFunction = (target: unknown, patch: unknown) => unknown

const PATCH_FUNCTIONS: Readonly<Record<string, PatchFunction>> = {
  'application/json-patch+json': jsonPatched,
  'application/merge-patch+json': mergePatched,
  'application/strategic-merge-patch+json': strategicPatched,
}

function patchFunction(request: IncomingMessage): PatchFunction {
  const type = (request.headers['content-type'] ?? '').split(';')[0]!.trim()
  const known = Object.hasOwn(PATCH_FUNCTIONS, type) ? PATCH_FUNCTIONS[type] : undefined
  if (known !== undefined) return known
  throw new Refused(
    415,
    `a patch cannot be ${JSON.stringify(type)}: use one of ${Object.keys(PATCH_FUNCTIONS).join(', ')}`,
  )
}

function notAllowed(): Refused {
  return new Refused(405, 'the server does not allow this method on the requested resource')
}

function label({ plural, group }: Resource, name: string): string {
  return `${plural}${group && `.${group}`} ${JSON.stringify(name)}`
}

function about({ plural, group }: Resource, name: string): { details: object } {
  return { details: { name, ...(group && { group }), kind: plural } }
}
