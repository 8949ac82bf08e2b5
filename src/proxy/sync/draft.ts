import type { Cluster } from '#proxy/cluster/cluster.ts'
import { bypassedFlows, changedFlows, type ListenersOf, type PendingFlows } from '#proxy/desired/flows.ts'
import type { Needs, NodeView } from '#proxy/desired/node-view.ts'
import { type Resolved, resolve } from '#proxy/desired/resolve.ts'
import type { ThisNode } from '#proxy/desired/this-node.ts'
import type { Mode } from '#proxy/modes/mode.ts'
import { BASE_OWNER, Book } from '#proxy/plan/book.ts'
import type { Address } from '#values/address.ts'
import type { ObjectName } from '#values/names.ts'
import { same } from '#values/same.ts'
import { mergedChanges, type ServiceChanges } from './service-changes.ts'

// A Cluster, a mode and the facts of this node → a Book with the rules the kernel should have.

export interface NodeFacts {
  readonly thisNode: ThisNode
  readonly view: NodeView
  /** All addresses of the node in this family, whether node ports answer on them or not. */
  readonly addresses: readonly Address[]
}

/** What an update of the book has changed. */
export interface DraftUpdate {
  readonly serviceChanges: ServiceChanges
  /** Conntrack entries to delete once the rules stand. */
  readonly pendingFlows: PendingFlows
}

/** Node and settings as they are now; large clusters get fewer comments, so the count of endpoints matters. */
export type NodeReader = (cluster: Cluster, endpoints: number, needs: Needs) => NodeFacts

export class Draft {
  readonly book = new Book()
  readonly #cluster: Cluster
  readonly mode: Mode
  readonly #nodeReader: NodeReader
  readonly #listenersOf: ListenersOf | undefined
  readonly #resolved = new Map<ObjectName, readonly Resolved[]>()
  /** Services that may have changed. */
  readonly #stale = new Set<ObjectName>()
  /** Services that are resolved again, and whose new entries are not in the book yet. */
  readonly #unwritten = new Set<ObjectName>()
  /** The owners of entries in the book, by Service. */
  readonly #owners = new Map<ObjectName, readonly string[]>()
  #updates: DraftUpdate[] = []
  #facts: NodeFacts | undefined
  #endpoints = 0

  constructor(cluster: Cluster, mode: Mode, nodeReader: NodeReader) {
    this.#cluster = cluster
    this.mode = mode
    this.#nodeReader = nodeReader
    this.#listenersOf = mode.proxyPorts?.listeners
  }

  touch(services: Iterable<ObjectName>): void {
    for (const name of services) this.#stale.add(name)
  }

  /** How many Services are to be resolved, or to be written into the book. */
  get waiting(): number {
    return this.#stale.size + this.#unwritten.size
  }

  /** Brings the book up to date and returns what has changed. */
  update(): DraftUpdate {
    while (this.advance(Number.POSITIVE_INFINITY) === 'more');
    const updates = this.#updates
    this.#updates = []
    return {
      serviceChanges: mergedChanges(updates.map(({ serviceChanges }) => serviceChanges)),
      pendingFlows: new Map(updates.flatMap(({ pendingFlows }) => [...pendingFlows])),
    }
  }

  /**
   * Takes as many Services as that a step further. All are resolved before the first is written into the book: only
   * then are their endpoints counted, and that count shapes every rule.
   */
  advance(services: number): 'more' | 'done' {
    this.#readFacts()
    if (this.#stale.size > 0) {
      for (const name of taken(this.#stale, services)) this.#resolve(name)
      return 'more'
    }
    if (this.#unwritten.size === 0) return 'done'
    for (const name of taken(this.#unwritten, services)) this.#write(name)
    return 'more'
  }

  /** All service ports, as last resolved. */
  *resolved(): Iterable<Resolved> {
    for (const ports of this.#resolved.values()) yield* ports
  }

  /** Those of one Service. */
  resolvedOf(service: ObjectName): readonly Resolved[] {
    return this.#resolved.get(service) ?? []
  }

  /** Conntrack entries to delete after rules were missing: packets may have passed without DNAT. */
  get bypassedFlows(): PendingFlows {
    return bypassedFlows([...this.resolved()], this.#listenersOf)
  }

  get nodeFacts(): NodeFacts | undefined {
    return this.#facts
  }

  /** A change of these facts may change every decision, or every rule. */
  #readFacts(): void {
    const facts = this.#nodeReader(this.#cluster, this.#endpoints, this.mode.needs)
    const before = this.#facts
    if (same(facts, before)) return
    this.#facts = facts
    if (!same(facts.thisNode, before?.thisNode)) {
      for (const { name } of this.#cluster.services()) this.#stale.add(name)
      for (const name of this.#resolved.keys()) this.#stale.add(name)
    }
    if (same(facts.view, before?.view)) return
    this.book.put(BASE_OWNER, this.mode.base(facts.view))
    for (const name of this.#resolved.keys()) this.#unwritten.add(name)
  }

  #resolve(name: ObjectName): void {
    const before = this.#resolved.get(name) ?? []
    const after = resolve(this.#cluster, name, this.#facts!.thisNode)
    if (after.length === 0) this.#resolved.delete(name)
    else this.#resolved.set(name, after)
    this.#endpoints += count(after) - count(before)
    this.#unwritten.add(name)
    const pendingFlows = changedFlows(before, after, this.#listenersOf)
    this.#updates.push({ serviceChanges: compare(before, after), pendingFlows })
  }

  #write(name: ObjectName): void {
    const { view } = this.#facts!
    const ports = this.#resolved.get(name) ?? []
    const owners = ports.map(({ traffic }) => ownerOf(traffic))
    ports.forEach(({ traffic }, i) => void this.book.put(owners[i]!, this.mode.service(traffic, view)))
    for (const owner of this.#owners.get(name) ?? []) if (!owners.includes(owner)) this.book.remove(owner)
    if (owners.length === 0) this.#owners.delete(name)
    else this.#owners.set(name, owners)
  }
}

/** Removes and returns the first of them. */
function taken<T>(waiting: Set<T>, most: number): readonly T[] {
  const some = waiting.size <= most ? [...waiting] : waiting.values().take(most).toArray()
  if (some.length === waiting.size) waiting.clear()
  else for (const one of some) waiting.delete(one)
  return some
}

/** The protocol is part of a service port's identity, though not of its name. */
export function ownerOf({ id, protocol }: Resolved['traffic']): string {
  return `${id}/${protocol}`
}

function count(ports: readonly Resolved[]): number {
  return ports.reduce((sum, { endpointCount }) => sum + endpointCount, 0)
}

function compare(before: readonly Resolved[], after: readonly Resolved[]): ServiceChanges {
  const old = new Map(before.map(resolved => [ownerOf(resolved.traffic), resolved.port]))
  const now = new Map(after.map(resolved => [ownerOf(resolved.traffic), resolved.port]))
  const ports = [...now]
  return {
    added: ports.filter(([owner]) => !old.has(owner)).map(([, port]) => port),
    updated: ports.filter(([owner, port]) => old.has(owner) && !same(old.get(owner), port)).map(([, port]) => port),
    removed: [...old].filter(([owner]) => !now.has(owner)).map(([, port]) => port),
  }
}
