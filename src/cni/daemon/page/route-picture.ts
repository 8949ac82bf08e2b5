import { PageFeed } from '#page/feed.ts'
import type { RangesLine, RouteLine, RouteTable } from '#page/views/pods.ts'
import type { RouteCluster } from '#routes/cluster/route-node.ts'
import { keyOf } from '#routes/plan/difference.ts'
import type { RouteReport } from '#routes/round.ts'

// What the last round over the routes saw → nodes with their ranges, and the routes to them. Kept is what the round has anyway;
// it becomes lines where a page asks.

export class RoutePicture {
  readonly feed = new PageFeed()
  #cluster: RouteCluster = []
  #last: { readonly report: RouteReport; readonly at: number } | undefined
  #repaired = 0

  round(report: RouteReport, at: number): void {
    this.#last = { report, at }
    this.#repaired += report.repaired.length
    this.feed.changed()
  }

  cluster(cluster: RouteCluster): void {
    this.#cluster = cluster
    this.feed.changed()
  }

  nodes(): readonly RangesLine[] {
    const self = this.#last?.report.self.name
    return this.#cluster.map(({ name, addresses, ranges }) => ({
      node: name,
      isThisNode: name === self,
      addresses,
      ranges,
    }))
  }

  routes(): RouteTable | undefined {
    if (this.#last === undefined) return undefined
    const { report, at } = this.#last
    const { plan, standing, refused } = report
    const whyNot = new Map(
      refused.flatMap(({ change, error }) =>
        change.do === 'add route' ? [[keyOf(change.route), error.message] as const] : [],
      ),
    )
    const planned = plan.routes.map((route): RouteLine => {
      const { node, destination: range, gateway: via, link } = route
      const reason = whyNot.get(keyOf(route))
      const state = standing.has(keyOf(route)) ? 'stands' : 'refused'
      return { node, range, via, link, state, ...(reason !== undefined && { reason }) }
    })
    const none = plan.refused.map(({ node, range, why }): RouteLine => {
      return { node, range, via: '–', link: '–', state: 'refused', reason: why }
    })
    return { at, routes: [...none, ...planned], repaired: this.#repaired }
  }
}
