import { type Address, type Family, familyOf } from '#values/address.ts'
import { baseAddress, type Cidr, cidrFamily, contains, prefixLength } from '#values/cidr.ts'
import { OVERLAY_LINK } from '#values/overlay-link.ts'
import type { RouteCluster, RouteNode } from '../cluster/route-node.ts'
import { AddressIndex } from './address-index.ts'
import { foreignRoutes } from './foreign-routes.ts'
import { type Reaching, reaching } from './reach.ts'
import type { KernelState, PlannedOverlay, PlannedRoute, RefusedRange, RoutePlan, RouteSettings } from './route-plan.ts'
import { type Underlay, underlayOf } from './underlay.ts'
import { overlayMtu, vtepMac } from './vtep.ts'

// The cluster, and the links and routes of this node → the routes to the ranges of all other nodes.

export interface PlanParts {
  /** This node, which is in the cluster, too. */
  readonly self: RouteNode
  readonly cluster: RouteCluster
  readonly state: KernelState
  readonly settings: RouteSettings
  /**
   * What this node itself sends from over the overlay: addresses that are its own and no pod's. Absent: the first of its ranges,
   * which is none of a pod where a range is a network.
   */
  readonly ownAddresses?: readonly Address[]
}

export function routePlan(parts: PlanParts): RoutePlan {
  const { self, cluster } = parts
  const planning = new Planning(parts)
  for (const node of cluster) {
    if (node.name === self.name) continue
    for (const range of node.ranges) planning.range(node, range)
  }
  return planning.plan()
}

class Planning {
  readonly #self: RouteNode
  readonly #settings: RouteSettings
  readonly #ownAddresses: readonly Address[] | undefined
  readonly #addresses: AddressIndex
  readonly #reach: Reaching
  readonly #underlay: Underlay | undefined
  readonly #foreign: ReadonlyMap<Cidr, string>
  readonly #holders = new Map<Cidr, string>()
  readonly #routes: PlannedRoute[] = []
  readonly #refused: RefusedRange[] = []
  /** By name: nodes that the overlay leads to, and the host of each. */
  readonly #behind = new Map<string, Address>()
  /** Over the overlay, and the node that each leads to: one address cannot be at two of them. */
  readonly #gateways = new Map<Address, string>()

  constructor({ self, cluster, state, settings, ownAddresses }: PlanParts) {
    this.#ownAddresses = ownAddresses
    this.#self = self
    this.#settings = settings
    this.#addresses = new AddressIndex(cluster)
    this.#reach = reaching(state)
    this.#underlay = underlayOf(self, state)
    this.#foreign = foreignRoutes(state)
  }

  range(node: RouteNode, range: Cidr): void {
    const why = this.#objection(node, range) ?? this.#laid(node, range)
    if (why !== undefined) this.#refused.push({ node: node.name, range, why })
  }

  plan(): RoutePlan {
    const [routes, refused] = [this.#routes, this.#refused]
    return this.#behind.size === 0 ? { routes, refused } : { routes, refused, overlay: this.#overlay() }
  }

  #objection(node: RouteNode, range: Cidr): string | undefined {
    const own = this.#self.ranges.find(
      mine => prefixLength(mine) <= prefixLength(range) && contains(mine, baseAddress(range)),
    )
    if (own !== undefined) return `it is in ${own} of this node`
    const holder = this.#holders.get(range)
    if (holder !== undefined) return `node ${holder} has the same range`
    this.#holders.set(range, node.name)
    const host = this.#addresses.within(range)
    if (host !== undefined) return `it holds ${host.address}, the address of node ${host.node}`
    const foreign = this.#foreign.get(range)
    return foreign === undefined ? undefined : `there is a route that is not ours: ${foreign}`
  }

  /** Undefined where the route could be laid; otherwise why not. */
  #laid(node: RouteNode, range: Cidr): string | undefined {
    const direct = this.#settings.overlay === 'vxlan' ? undefined : this.#direct(node, cidrFamily(range))
    if (direct !== undefined) {
      this.#routes.push({ node: node.name, destination: range, ...direct, isOnLink: false })
      return undefined
    }
    if (this.#settings.overlay === 'none') return notDirect(node, cidrFamily(range))
    return this.#laidOver(node, range)
  }

  #direct(node: RouteNode, family: Family): Pick<PlannedRoute, 'gateway' | 'link'> | undefined {
    for (const gateway of node.addresses) {
      if (familyOf(gateway) !== family) continue
      const reach = this.#reach(gateway)
      if (reach?.by === 'link') return { gateway, link: reach.link }
    }
    return undefined
  }

  #laidOver(node: RouteNode, range: Cidr): string | undefined {
    if (this.#underlay === undefined)
      return 'no address of this Node is on one of its links, so there can be no overlay'
    const family = familyOf(this.#underlay.local)
    const host = node.addresses.find(address => familyOf(address) === family)
    if (host === undefined) return `its Node has no ${FAMILY_WORDS[family]} address, and the overlay is of that family`
    if (this.#reach(host) === undefined) return `no route leads to ${host}, the address of its Node`
    const gateway = baseAddress(range)
    const other = this.#gateways.get(gateway) ?? node.name
    if (other !== node.name)
      return `a range of node ${other} begins at the same address, and the overlay has one way there`
    this.#gateways.set(gateway, node.name)
    this.#behind.set(node.name, host)
    this.#routes.push({ node: node.name, destination: range, gateway, link: OVERLAY_LINK, isOnLink: true })
    return undefined
  }

  #overlay(): PlannedOverlay {
    const { vni, port } = this.#settings
    const { local, link, mtu } = this.#underlay!
    const firstOf = (family: Family) => this.#self.ranges.find(range => cidrFamily(range) === family)
    const own = [firstOf('ipv4'), firstOf('ipv6')].filter(range => range !== undefined)
    return {
      options: { vni, port, local, mac: vtepMac(this.#self.name), mtu: overlayMtu(mtu, local) },
      underlay: link,
      addresses: this.#ownAddresses ?? own.map(baseAddress),
      neighbours: [...this.#gateways].map(([address, node]) => ({ address, mac: vtepMac(node) })),
      tunnels: [...this.#behind].map(([node, host]) => ({ mac: vtepMac(node), host })),
    }
  }
}

const FAMILY_WORDS: Readonly<Record<Family, string>> = { ipv4: 'IPv4', ipv6: 'IPv6' }

function notDirect({ addresses }: RouteNode, family: Family): string {
  const own = addresses.filter(address => familyOf(address) === family)
  if (own.length === 0) return `its Node has no ${FAMILY_WORDS[family]} address`
  return `${own.join(' and ')} of its Node ${own.length === 1 ? 'is' : 'are'} on no link of ours, and --overlay is none`
}
