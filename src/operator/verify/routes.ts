import { networksOf } from '#cni/network/networks.ts'
import type { Invocation } from '#command-line/start.ts'
import type { GrantedRanges } from '#ipam/leases/lease-book.ts'
import { readGrant, readRing } from '#ipam/leases/lease-view.ts'
import { ringOf } from '#ipam/ring/ring-text.ts'
import { rangesOfRing } from '#ipam/sources/node-ranges.ts'
import type { Node } from '#kubernetes/objects.ts'
import type { RouteCluster } from '#routes/cluster/route-node.ts'
import { applyChanges } from '#routes/kernel/apply.ts'
import { kernelState } from '#routes/kernel/kernel-state.ts'
import { ownRoutes, routeChanges } from '#routes/plan/difference.ts'
import { routePlan } from '#routes/plan/wanted.ts'
import type { NamespaceNetwork } from '#system/network/network.ts'
import type { Kernel } from '#system/ports.ts'
import type { Address, Family } from '#values/address.ts'
import { type Cidr, cidrFamily } from '#values/cidr.ts'
import type { NodeDifference } from '#verify/difference.ts'
import { routeDifferences } from '#verify/pods/routes.ts'
import type { ClusterView } from '../source/view.ts'

// All Nodes, and the routes of this one → what differs, and the same mended.

export interface RoutesParts {
  readonly settings: Pick<Invocation['settings'], 'routes' | 'questions' | 'family'>
  readonly view: Pick<ClusterView, 'allNodes' | 'nodeName'>
  readonly kernel: Kernel
}

/** Nothing where this node keeps no routes, or not all Nodes are known. */
export function differencesOfRoutes(parts: RoutesParts): Promise<readonly NodeDifference[]> {
  return onNode(parts, async ({ plan, state, changes }) => routeDifferences(changes, plan, state))
}

/** What the kernel refused, a sentence each. */
export function mendRoutes(parts: RoutesParts): Promise<readonly string[]> {
  return onNode(parts, async ({ changes, network }) => {
    const refused = await applyChanges(changes, network, async () => {})
    return refused.map(({ change, error }) => `${change.do}: ${error.message}`)
  })
}

interface RouteLook {
  readonly plan: ReturnType<typeof routePlan>
  readonly state: Awaited<ReturnType<typeof kernelState>>
  readonly changes: ReturnType<typeof routeChanges>
  readonly network: NamespaceNetwork
}

async function onNode<T>(parts: RoutesParts, work: (look: RouteLook) => Promise<readonly T[]>): Promise<readonly T[]> {
  const { settings, view, kernel } = parts
  const granted = grantOf(settings.questions.database)
  const nodes = await view.allNodes()
  const cluster = clusterFor(nodes ?? [], settings.questions.database, granted)
  const self = cluster.find(({ name }) => name === view.nodeName)
  if (self === undefined) return []
  const network = await networksOf(kernel).open()
  try {
    const state = await kernelState(network)
    // Without a range that its daemon was given, and without routes of ours, another program looks after them.
    if (granted === undefined && ownRoutes(state).length === 0) return []
    const { overlay, vni, port } = settings.routes
    const own = granted?.source === 'ring' ? { ownAddresses: gatewaysOf(granted) } : {}
    const plan = routePlan({ self, cluster, state, settings: { overlay, vni, port }, ...own })
    const asked = settings.family === undefined ? { plan, state } : onlyOf(settings.family, { plan, state })
    return await work({ ...asked, changes: routeChanges(asked.plan, asked.state), network })
  } finally {
    network.close()
  }
}

/** Of the other family nothing is wanted and nothing is there; the overlay carries both. */
export function onlyOf(family: Family, { plan, state }: Pick<RouteLook, 'plan' | 'state'>) {
  const others = { ipv4: 'ipv6', ipv6: 'ipv4' } as const
  return {
    plan: {
      ...plan,
      routes: plan.routes.filter(({ destination }) => cidrFamily(destination) === family),
      refused: plan.refused.filter(({ range }) => cidrFamily(range) === family),
    },
    state: { ...state, routes: { ...state.routes, [others[family]]: [] } },
  }
}

/** Where ranges come from the ring, Nodes do not say them. */
function clusterFor(all: readonly Node[], database: string, granted: GrantedRanges | undefined): RouteCluster {
  const ring = granted?.source === 'ring' ? ringIn(database) : undefined
  const nodes = all.map(({ name, addresses, podCIDRs }) => ({
    ...{ name, addresses },
    ranges: ring === undefined ? podCIDRs : (ring.get(name) ?? []),
  }))
  return nodes.sort((a, b) => (a.name < b.name ? -1 : 1))
}

function ringIn(database: string): ReadonlyMap<string, readonly Cidr[]> | undefined {
  const ring = ringOf(readRing(database)?.text ?? '')
  if (typeof ring === 'string') return undefined
  const owners = Map.groupBy(rangesOfRing(ring), ({ name }) => name)
  return new Map([...owners].map(([name, own]) => [name, own.flatMap(({ ranges }) => ranges)]))
}

/** A stretch of the ring is no network: its first address may be a pod's. */
function gatewaysOf({ sets }: GrantedRanges): readonly Address[] {
  return sets.map(([{ gateway }]) => gateway)
}

/** As the daemon of this node wrote it down. */
function grantOf(database: string): GrantedRanges | undefined {
  try {
    return readGrant(database)
  } catch {
    return undefined
  }
}
