import { PaperRouting } from '#lab/paper/routing.ts'
import type { RouteCluster, RouteNode } from '#routes/cluster/route-node.ts'
import type { RouteSettings } from '#routes/plan/route-plan.ts'
import { type RouteReport, routeRound, type StandingRoutes } from '#routes/round.ts'
import { type Address, parseAddress } from '#values/address.ts'
import { type Cidr, parseCidr } from '#values/cidr.ts'

// A node on paper among others: 192.0.2.0/24 and 2001:db8::/64 are its link, and a router is behind 192.0.2.254.

export const address = (text: string): Address => parseAddress(text)!
export const cidr = (text: string): Cidr => parseCidr(text)!

export function routeNode(name: string, addresses: readonly string[], ranges: readonly string[]): RouteNode {
  return { name, addresses: addresses.map(address), ranges: ranges.map(cidr) }
}

export const SELF = routeNode('node-a', ['192.0.2.1', '2001:db8::1'], ['10.244.1.0/24', 'fd00:244:1::/64'])
export const NEAR = routeNode('node-b', ['192.0.2.2', '2001:db8::2'], ['10.244.2.0/24', 'fd00:244:2::/64'])
export const FAR = routeNode('node-f', ['198.51.100.6', '2001:db8:6::6'], ['10.244.6.0/24', 'fd00:244:6::/64'])
export const SETTINGS: RouteSettings = { overlay: 'auto', vni: 1, port: 8472 }

export class RouteStage {
  readonly routing = new PaperRouting()
  settings = SETTINGS
  #before: StandingRoutes | undefined

  constructor() {
    this.routing.plug(
      'eth0',
      { address: address('192.0.2.1'), prefixLength: 24 },
      { address: address('2001:db8::1'), prefixLength: 64 },
    )
    this.routing.foreign({ destination: cidr('0.0.0.0/0'), gateway: address('192.0.2.254'), link: 'eth0' })
    this.routing.foreign({ destination: cidr('::/0'), gateway: address('2001:db8::fe'), link: 'eth0' })
  }

  async round(...others: RouteCluster): Promise<RouteReport> {
    const { network } = this.routing
    const parts = { nodeName: SELF.name, settings: this.settings, network, before: this.#before, pause: async () => {} }
    const report = await routeRound({ ...parts, cluster: [SELF, ...others] })
    if (typeof report === 'string') throw new Error(report)
    this.#before = report.standing
    return report
  }

  /** Routes of ours. */
  get laid(): readonly string[] {
    return this.routing.table.filter(line => line.includes('proto 115')).map(line => line.replace(' proto 115', ''))
  }

  get others(): readonly string[] {
    return this.routing.table.filter(line => !line.includes('proto 115'))
  }

  get tunnels(): readonly string[] {
    return [...this.routing.neighbours.byMac.values()].map(({ mac, host }) => `${mac} ${host}`).sort()
  }

  get neighbours(): readonly string[] {
    return [...this.routing.neighbours.byAddress.values()].map(one => `${one.address} ${one.mac}`).sort()
  }
}
