import { isDeepStrictEqual } from 'node:util'
import type { ApiObject, ApiStore } from '#lab/api-server/store.ts'
import { allocatedService, type ServiceAllocation } from '../../services/allocated-service.ts'
import { checkServiceObject } from '../../services/service-cidr-life.ts'
import { readyServiceCIDR } from '../../services/service-ranges.ts'
import { eraseObject, writeObject } from '../../services/stored.ts'
import { withoutFormerFields } from '../../services/type-change.ts'
import { type Ownership, owned } from '../apply/apply.ts'
import { alreadyExists } from '../refusals.ts'
import { apiVersion, NAMESPACES, PODS, type Resource, SERVICE_CIDRS, type Target } from '../resources.ts'
import { checkPodCIDRs, checkSpec, checkStatus } from './checks/checks.ts'
import { withDefaults } from './defaults/defaults.ts'
import { admittedPodSpec } from './defaults/pods.ts'
import { fieldsOf, listOf } from './defaults/values.ts'
import { isEnded } from './deletion/ending.ts'
import type { WriteOptions } from './options.ts'
import { counted } from './server-fields.ts'

// The object that a write asks for → the object that is stored: with defaults, checked, with what it draws from ranges and who owns what.

export interface SaveOptions {
  /** The object as it is, if it is there. */
  readonly before?: ApiObject | undefined
  readonly options: WriteOptions
}

export interface SavingParts {
  readonly store: ApiStore
  readonly allocation: ServiceAllocation
  /** How long a pod stays on a node that is lost, where it does not say. */
  readonly tolerationSeconds: number
}

export class Saving {
  readonly #store: ApiStore
  readonly #allocation: ServiceAllocation
  readonly #tolerationSeconds: number

  constructor({ store, allocation, tolerationSeconds }: SavingParts) {
    this.#store = store
    this.#allocation = allocation
    this.#tolerationSeconds = tolerationSeconds
  }

  /** Every write but server-side apply: the writer owns what it changed, defaults included. */
  update(target: Target, next: ApiObject, { before, options }: SaveOptions): ApiObject {
    const { resource, subresource } = target
    const isPart = subresource === 'status' || subresource === 'binding'
    const defaulted = isPart ? next : this.#defaulted(resource, next, before)
    if (subresource === 'status') checkStatus(resource, defaulted)
    // Not on apply, where a Node's podCIDRs are the one set of values that this server has.
    checkPodCIDRs(resource, defaulted, before)
    if (before === undefined) this.#checkNew(resource, defaulted)
    const tracked = owned(before, defaulted, this.ownership(target, options, 'Update'))
    const full = isPart ? tracked : this.#admitted(resource, tracked, { before, options })
    return this.#save(resource, full, { before, options })
  }

  /** What was applied belongs to its manager, and the defaults to none. */
  commit({ resource }: Target, next: ApiObject, change: SaveOptions): ApiObject {
    const defaulted = this.#defaulted(resource, next, change.before)
    return this.#save(resource, this.#admitted(resource, defaulted, change), change)
  }

  ownership({ resource, subresource }: Target, { manager }: WriteOptions, operation: 'Apply' | 'Update'): Ownership {
    const part = subresource === undefined ? {} : { subresource }
    const name = { manager, operation, apiVersion: apiVersion(resource), ...part } as const
    // As the real server, which forgets to say when a scale was changed.
    const time = subresource === 'scale' ? '' : this.#store.timestamp()
    return { kind: resource.kind, name, time, isOwnable: path => isOwnable(resource, subresource, path) }
  }

  #defaulted(resource: Resource, object: ApiObject, before: ApiObject | undefined): ApiObject {
    const wished = resource.kind === 'Service' && before !== undefined ? withoutFormerFields(object, before) : object
    const full = counted(resource, withDefaults({ ...wished, kind: resource.kind }), before)
    checkSpec(resource, full, before)
    checkServiceObject(resource, full, before)
    return full
  }

  /** After all that is wrong with the object itself, and before anything is allocated to it. */
  #checkNew(resource: Resource, { metadata: { namespace, name = '' } }: ApiObject): void {
    if (this.#store.get(resource, namespace, name) !== undefined) throw alreadyExists(resource, name)
  }

  /** What the server itself adds belongs to no manager. */
  #admitted(resource: Resource, full: ApiObject, { before, options }: SaveOptions): ApiObject {
    if (resource === SERVICE_CIDRS && before === undefined) return readyServiceCIDR(full, this.#store.timestamp())
    if (resource === PODS && before === undefined)
      return { ...full, spec: admittedPodSpec(fieldsOf(full.spec), this.#tolerationSeconds) }
    if (resource.kind !== 'Service') return full
    const run = options.dryRun ? 'dry' : 'real'
    return allocatedService(this.#store, full, { ...this.#allocation, before, run })
  }

  /** As the real server, which stores nothing where nothing changes: the resourceVersion stays. */
  #save(resource: Resource, object: ApiObject, { before, options }: SaveOptions): ApiObject {
    const preview = this.#store.preview(resource, object)
    if (options.dryRun) return preview
    if (before !== undefined && isDeepStrictEqual(preview, before)) return before
    if (before === undefined || !goesNow(resource, object)) {
      return writeObject(this.#store, resource, { before, after: object })
    }
    eraseObject(this.#store, resource, before)
    return preview
  }
}

/** A status is owned through its own path alone, and nothing of the spec is owned through that. */
function isOwnable(resource: Resource, subresource: string | undefined, path: string): boolean {
  const [field] = path.split('\n')
  if (subresource === 'binding') return false
  // The finalizers of a namespace are those of the server.
  if (resource === NAMESPACES && field === 'f:spec') return false
  if (subresource === 'status') return field !== 'f:spec'
  return field !== 'f:status' || !Object.hasOwn(resource.subresources, 'status')
}

/** The last thing that a deletion waited for is done with this write. */
function goesNow(resource: Resource, object: ApiObject): boolean {
  if (resource !== NAMESPACES) return isEnded(resource, object)
  return object.metadata.deletionTimestamp !== undefined && listOf(fieldsOf(object.spec).finalizers).length === 0
}
