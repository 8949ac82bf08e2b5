import type { Event } from '#kubernetes/event.ts'
import type { ClusterObject, EndpointSlice, Node, ObjectKind, Service, ServiceCIDR } from '#kubernetes/objects.ts'
import type { Family } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'
import type { ObjectName } from '#values/names.ts'
import { Claims } from './claims.ts'
import { Slices } from './slices.ts'

// Events → the Services, EndpointSlices, ranges and Node of the cluster. The same objects give the same cluster,
// whatever order they came in.

/** What an event may have changed. */
export interface Touched {
  readonly services: ReadonlySet<ObjectName>
  readonly node: boolean
  /** The ranges cluster IPs are taken from. */
  readonly ranges?: true
}

/**
 * Rules are written once these are known. ServiceCIDR is not among them: an API server may not serve it, or not to this
 * agent.
 */
const KINDS: readonly ObjectKind[] = ['Service', 'EndpointSlice', 'Node']
const NO_SERVICES: ReadonlySet<ObjectName> = new Set()
const NOTHING: Touched = { services: NO_SERVICES, node: false }

export class Cluster {
  readonly claims = new Claims()
  readonly #services = new Map<ObjectName, Service>()
  readonly #slices = new Slices()
  readonly #ranges = new Map<ObjectName, ServiceCIDR>()
  readonly #synced = new Set<ObjectKind>()
  #node: Node | undefined

  apply(event: Event): Touched {
    switch (event.type) {
      case 'put':
        return this.#put(event.object)
      case 'gone':
        return this.#remove(event.kind, event.name)
      case 'synced':
        this.#synced.add(event.kind)
        return NOTHING
      case 'problem':
        return NOTHING
    }
  }

  /** Rules may be written only once Services, EndpointSlices and this node's Node have been listed to the end. */
  get complete(): boolean {
    return KINDS.every(kind => this.#synced.has(kind))
  }

  /** True once this kind has been listed to the end, also where the list was empty. */
  has(kind: ObjectKind): boolean {
    return this.#synced.has(kind)
  }

  get node(): Node | undefined {
    return this.#node
  }

  /** The ranges cluster IPs are taken from, sorted; none where the API server serves no ServiceCIDRs. */
  get serviceRanges(): readonly Cidr[] {
    return [...new Set([...this.#ranges.values()].flatMap(({ cidrs }) => cidrs))].sort()
  }

  get serviceCount(): number {
    return this.#services.size
  }

  services(): Iterable<Service> {
    return this.#services.values()
  }

  service(name: ObjectName): Service | undefined {
    return this.#services.get(name)
  }

  slices(service: ObjectName, family: Family): readonly EndpointSlice[] {
    return this.#slices.of(service, family)
  }

  #put(object: ClusterObject): Touched {
    switch (object.kind) {
      case 'Service':
        return this.#replaceService(object.name, object)
      case 'EndpointSlice':
        return { services: new Set(this.#slices.put(object)), node: false }
      case 'Node':
        this.#node = object
        return { services: NO_SERVICES, node: true }
      case 'ServiceCIDR':
        this.#ranges.set(object.name, object)
        return { services: NO_SERVICES, node: false, ranges: true }
    }
  }

  /** The Node stays known when its object is deleted: rules and pod ranges stay, as with kube-proxy. */
  #remove(kind: ObjectKind, name: ObjectName): Touched {
    switch (kind) {
      case 'Service':
        return this.#replaceService(name, undefined)
      case 'EndpointSlice':
        return { services: new Set(this.#slices.remove(name)), node: false }
      case 'Node':
        return NOTHING
      case 'ServiceCIDR':
        this.#ranges.delete(name)
        return { services: NO_SERVICES, node: false, ranges: true }
    }
  }

  #replaceService(name: ObjectName, next: Service | undefined): Touched {
    const previous = this.#services.get(name)
    const rivals = this.claims.replace(previous, next)
    if (next === undefined) this.#services.delete(name)
    else this.#services.set(name, next)
    return { services: new Set([...rivals, name]), node: false }
  }
}
