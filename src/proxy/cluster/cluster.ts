import type { Event } from '#kubernetes/event.ts'
import type { ClusterObject, EndpointSlice, Kind, Node, Service, ServiceCIDR } from '#kubernetes/objects.ts'
import type { Family } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'
import type { ObjectName } from '#values/names.ts'
import { Claims } from './claims.ts'
import { Slices } from './slices.ts'

// Events → what is true. The same objects give the same cluster, whatever order they came in.

/** What an event may have changed. */
export interface Touched {
  readonly services: ReadonlySet<ObjectName>
  readonly node: boolean
  /** The ranges of Services. */
  readonly ranges?: true
}

/** What must be known before rules are written; a cluster need not show us the ranges of its Services. */
const KINDS: readonly Kind[] = ['Service', 'EndpointSlice', 'Node']
const NO_SERVICES: ReadonlySet<ObjectName> = new Set()
const NOTHING: Touched = { services: NO_SERVICES, node: false }

export class Cluster {
  readonly claims = new Claims()
  readonly #services = new Map<ObjectName, Service>()
  readonly #slices = new Slices()
  readonly #ranges = new Map<ObjectName, ServiceCIDR>()
  readonly #synced = new Set<Kind>()
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

  /** Rules may be written only once Services, EndpointSlices and our own Node have been seen whole. */
  get complete(): boolean {
    return KINDS.every(kind => this.#synced.has(kind))
  }

  /** Whether this kind has been seen whole; that there is nothing of it counts. */
  has(kind: Kind): boolean {
    return this.#synced.has(kind)
  }

  get node(): Node | undefined {
    return this.#node
  }

  /** The ranges from which cluster IPs are taken, in order; none where the cluster does not tell. */
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

  /** A node that is deleted under us is still where it was: rules and pods' ranges stay, as with kube-proxy. */
  #remove(kind: Kind, name: ObjectName): Touched {
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
