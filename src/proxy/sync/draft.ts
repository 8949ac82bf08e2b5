import type { Cluster } from '#proxy/cluster/cluster.ts'
import { type OtherAnswerers, type Owed, owedFlows, passedFlows } from '#proxy/desired/flows.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import { type Resolved, resolve } from '#proxy/desired/resolve.ts'
import type { ThisNode } from '#proxy/desired/this-node.ts'
import type { Mode } from '#proxy/modes/mode.ts'
import { BASE_OWNER, Book } from '#proxy/plan/book.ts'
import type { Address } from '#values/address.ts'
import type { ObjectName } from '#values/names.ts'
import { same } from '#values/same.ts'
import { mergedChanges, type ServiceChanges } from './service-changes.ts'

// A Cluster, a mode and this node's nodeFacts → a Book that says what the kernel should have.

export interface NodeFacts {
  readonly place: ThisNode
  readonly view: NodeView
  /** All addresses the node has in this family, whether it answers node ports on them or not. */
  readonly addresses: readonly Address[]
}

/** What an update of the book came to. */
export interface Drawn {
  readonly serviceChanges: ServiceChanges
  /** Connections to be forgotten once the rules stand. */
  readonly owed: Owed
}

/** Node and settings as they are now; large clusters are written with fewer words, so the count of endpoints matters. */
export type NodeReader = (cluster: Cluster, endpoints: number) => NodeFacts

export class Draft {
  readonly book = new Book()
  readonly #cluster: Cluster
  readonly #mode: Mode
  readonly #nodeReader: NodeReader
  readonly #answerers: OtherAnswerers | undefined
  readonly #drawn = new Map<ObjectName, readonly Resolved[]>()
  /** What may have changed. */
  readonly #stale = new Set<ObjectName>()
  /** What has been decided anew, and does not stand in the book yet. */
  readonly #unsaid = new Set<ObjectName>()
  /** Who owns entries of the book. */
  readonly #owners = new Map<ObjectName, readonly string[]>()
  #outcome: Drawn[] = []
  #around: NodeFacts | undefined
  #endpoints = 0

  constructor(cluster: Cluster, mode: Mode, nodeReader: NodeReader) {
    this.#cluster = cluster
    this.#mode = mode
    this.#nodeReader = nodeReader
    this.#answerers = mode.proxyPorts?.listeners
  }

  touch(services: Iterable<ObjectName>): void {
    for (const name of services) this.#stale.add(name)
  }

  /** How many Services are to be looked at, or to be written down. */
  get waiting(): number {
    return this.#stale.size + this.#unsaid.size
  }

  /** Brings the book up to date and says what became of service ports. */
  update(): Drawn {
    while (this.advance(Number.POSITIVE_INFINITY) === 'more');
    const outcome = this.#outcome
    this.#outcome = []
    return {
      serviceChanges: mergedChanges(outcome.map(({ serviceChanges }) => serviceChanges)),
      owed: new Map(outcome.flatMap(({ owed }) => [...owed])),
    }
  }

  /**
   * Takes as many Services as that a step further. All are decided before the first is written down: only then are their
   * endpoints counted, and how many there are shapes every rule.
   */
  advance(services: number): 'more' | 'done' {
    this.#look()
    if (this.#stale.size > 0) {
      for (const name of taken(this.#stale, services)) this.#decide(name)
      return 'more'
    }
    if (this.#unsaid.size === 0) return 'done'
    for (const name of taken(this.#unsaid, services)) this.#say(name)
    return 'more'
  }

  /** All service ports as they stand. */
  *resolved(): Iterable<Resolved> {
    for (const ports of this.#drawn.values()) yield* ports
  }

  /** What is owed where connections may have gone past every Service while nobody was looking. */
  get owed(): Owed {
    return passedFlows([...this.resolved()], this.#answerers)
  }

  get nodeFacts(): NodeFacts | undefined {
    return this.#around
  }

  /** A change of nodeFacts may change every decision, or every rule. */
  #look(): void {
    const around = this.#nodeReader(this.#cluster, this.#endpoints)
    const before = this.#around
    if (same(around, before)) return
    this.#around = around
    if (!same(around.place, before?.place)) {
      for (const { name } of this.#cluster.services()) this.#stale.add(name)
      for (const name of this.#drawn.keys()) this.#stale.add(name)
    }
    if (same(around.view, before?.view)) return
    this.book.put(BASE_OWNER, this.#mode.base(around.view))
    for (const name of this.#drawn.keys()) this.#unsaid.add(name)
  }

  #decide(name: ObjectName): void {
    const before = this.#drawn.get(name) ?? []
    const after = resolve(this.#cluster, name, this.#around!.place)
    if (after.length === 0) this.#drawn.delete(name)
    else this.#drawn.set(name, after)
    this.#endpoints += count(after) - count(before)
    this.#unsaid.add(name)
    this.#outcome.push({ serviceChanges: compare(before, after), owed: owedFlows(before, after, this.#answerers) })
  }

  #say(name: ObjectName): void {
    const { view } = this.#around!
    const ports = this.#drawn.get(name) ?? []
    const owners = ports.map(({ traffic }) => ownerOf(traffic))
    ports.forEach(({ traffic }, i) => void this.book.put(owners[i]!, this.#mode.service(traffic, view)))
    for (const owner of this.#owners.get(name) ?? []) if (!owners.includes(owner)) this.book.remove(owner)
    if (owners.length === 0) this.#owners.delete(name)
    else this.#owners.set(name, owners)
  }
}

/** The first of them, which are then no longer there. */
function taken<T>(waiting: Set<T>, most: number): readonly T[] {
  const some = waiting.size <= most ? [...waiting] : waiting.values().take(most).toArray()
  if (some.length === waiting.size) waiting.clear()
  else for (const one of some) waiting.delete(one)
  return some
}

/** The protocol is part of a service port's identity, though not of its name. */
function ownerOf({ id, protocol }: Resolved['traffic']): string {
  return `${id}/${protocol}`
}

function count(ports: readonly Resolved[]): number {
  return ports.reduce((sum, { endpoints }) => sum + endpoints.length, 0)
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
