import type { Cluster } from '../cluster/cluster.ts'
import { type Owed, owedFlows } from '../desired/flows.ts'
import type { NodeView } from '../desired/node-view.ts'
import { type Resolved, resolve } from '../desired/resolve.ts'
import type { Standpoint } from '../desired/standpoint.ts'
import type { Mode } from '../modes/mode.ts'
import { BASE_OWNER, Book } from '../plan/book.ts'
import type { Address } from '../values/address.ts'
import type { ObjectName } from '../values/names.ts'
import { same } from '../values/same.ts'
import { type News, newsOf } from './news.ts'

// A Cluster, a mode and this node's surroundings → a Book that says what the kernel should have.

export interface Surroundings {
  readonly place: Standpoint
  readonly view: NodeView
  /** All addresses the node has in this family, whether it answers node ports on them or not. */
  readonly addresses: readonly Address[]
}

/** What an update of the book came to. */
export interface Drawn {
  readonly news: News
  /** Connections to be forgotten once the rules stand. */
  readonly owed: Owed
}

/** Node and settings as they are now; large clusters are written with fewer words, so the count of endpoints matters. */
export type LookAround = (cluster: Cluster, endpoints: number) => Surroundings

export class Draft {
  readonly book = new Book()
  readonly #cluster: Cluster
  readonly #mode: Mode
  readonly #lookAround: LookAround
  readonly #drawn = new Map<ObjectName, readonly Resolved[]>()
  readonly #stale = new Set<ObjectName>()
  #around: Surroundings | undefined
  #endpoints = 0

  constructor(cluster: Cluster, mode: Mode, lookAround: LookAround) {
    this.#cluster = cluster
    this.#mode = mode
    this.#lookAround = lookAround
  }

  touch(services: Iterable<ObjectName>): void {
    for (const name of services) this.#stale.add(name)
  }

  /** Brings the book up to date and says what became of service ports. */
  update(): Drawn {
    const drawn: Drawn[] = []
    for (;;) {
      this.#look()
      for (const name of this.#stale) drawn.push(this.#draw(name))
      this.#stale.clear()
      if (same(this.#lookAround(this.#cluster, this.#endpoints), this.#around)) break
    }
    return { news: newsOf(drawn.map(({ news }) => news)), owed: new Map(drawn.flatMap(({ owed }) => [...owed])) }
  }

  /** All service ports as they stand. */
  *resolved(): Iterable<Resolved> {
    for (const ports of this.#drawn.values()) yield* ports
  }

  get surroundings(): Surroundings | undefined {
    return this.#around
  }

  /** A change of surroundings may change every rule. */
  #look(): void {
    const around = this.#lookAround(this.#cluster, this.#endpoints)
    if (same(around, this.#around)) return
    this.#around = around
    this.book.put(BASE_OWNER, this.#mode.base(around.view))
    for (const { name } of this.#cluster.services()) this.#stale.add(name)
    for (const name of this.#drawn.keys()) this.#stale.add(name)
  }

  #draw(name: ObjectName): Drawn {
    const { place, view } = this.#around!
    const before = this.#drawn.get(name) ?? []
    const after = resolve(this.#cluster, name, place)
    for (const { traffic } of after) this.book.put(ownerOf(traffic), this.#mode.service(traffic, view))
    const kept = new Set(after.map(({ traffic }) => ownerOf(traffic)))
    for (const { traffic } of before) if (!kept.has(ownerOf(traffic))) this.book.remove(ownerOf(traffic))
    if (after.length === 0) this.#drawn.delete(name)
    else this.#drawn.set(name, after)
    this.#endpoints += count(after) - count(before)
    return { news: compare(before, after), owed: owedFlows(before, after) }
  }
}

/** The protocol is part of a service port's identity, though not of its name. */
function ownerOf({ id, protocol }: Resolved['traffic']): string {
  return `${id}/${protocol}`
}

function count(ports: readonly Resolved[]): number {
  return ports.reduce((sum, { endpoints }) => sum + endpoints.length, 0)
}

function compare(before: readonly Resolved[], after: readonly Resolved[]): News {
  const old = new Map(before.map(resolved => [ownerOf(resolved.traffic), resolved.port]))
  const now = new Map(after.map(resolved => [ownerOf(resolved.traffic), resolved.port]))
  const ports = [...now]
  return {
    added: ports.filter(([owner]) => !old.has(owner)).map(([, port]) => port),
    updated: ports.filter(([owner, port]) => old.has(owner) && !same(old.get(owner), port)).map(([, port]) => port),
    removed: [...old].filter(([owner]) => !now.has(owner)).map(([, port]) => port),
  }
}
