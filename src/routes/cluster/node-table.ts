import type { Event } from '#kubernetes/event.ts'
import { NodePicture } from '#kubernetes/node-picture.ts'
import type { Node } from '#kubernetes/objects.ts'
import type { Cidr } from '#values/cidr.ts'
import { same } from '#values/same.ts'
import type { RouteCluster, RouteClusterView } from './route-node.ts'

// Events of a watch of all Nodes, and the ranges that another source may say → the cluster, once all of it is known.

/** Which node has which ranges. */
export type RangesByNode = readonly { readonly name: string; readonly ranges: readonly Cidr[] }[]

const entryOf = ({ name, addresses, podCIDRs }: Node) => ({ name, addresses, podCIDRs })

export class NodeTable implements RouteClusterView {
  readonly #nodes = new NodePicture(entryOf)
  readonly #ranges: 'of Nodes' | 'of another source'
  #given: ReadonlyMap<string, readonly Cidr[]> | undefined
  #revision = 0
  #known: { readonly revision: number; readonly cluster: RouteCluster } | undefined

  constructor(ranges: 'of Nodes' | 'of another source') {
    this.#ranges = ranges
  }

  get revision(): number {
    return this.#revision
  }

  apply(event: Event): void {
    if (this.#nodes.apply(event)) this.#revision++
  }

  /** All that the other source knows. */
  give(ranges: RangesByNode): void {
    const given = new Map<string, readonly Cidr[]>()
    // In the ring, a node made anew may stand beside the one that is gone.
    for (const one of ranges) given.set(one.name, [...(given.get(one.name) ?? []), ...one.ranges])
    if (this.#given !== undefined && same([...given], [...this.#given])) return
    this.#given = given
    this.#revision++
  }

  cluster(): RouteCluster | undefined {
    const given = this.#ranges === 'of Nodes' ? new Map<string, readonly Cidr[]>() : this.#given
    if (!this.#nodes.isWhole || given === undefined) return undefined
    const revision = this.#revision
    if (this.#known?.revision !== revision) this.#known = { revision, cluster: this.#joined(given) }
    return this.#known.cluster
  }

  #joined(given: ReadonlyMap<string, readonly Cidr[]>): RouteCluster {
    return this.#nodes
      .list()
      .map(({ name, addresses, podCIDRs }) => {
        const ranges = this.#ranges === 'of Nodes' ? podCIDRs : (given.get(name) ?? [])
        return { name, addresses, ranges }
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }
}
