import type { NamespaceNetwork } from '#system/network/network.ts'
import type { Address } from '#values/address.ts'
import type { RouteCluster, RouteNode } from './cluster/route-node.ts'
import { applyChanges, type RefusedChange } from './kernel/apply.ts'
import { kernelState } from './kernel/kernel-state.ts'
import type { RouteChange } from './plan/changes.ts'
import { keyOf, routeChanges } from './plan/difference.ts'
import type { KernelState, RoutePlan, RouteSettings } from './plan/route-plan.ts'
import { routePlan } from './plan/wanted.ts'

// One look at the cluster and the kernel → the kernel as planned, and what was done for that.

export interface RouteRoundParts {
  readonly nodeName: string
  readonly cluster: RouteCluster
  readonly settings: RouteSettings
  readonly network: NamespaceNetwork
  /** See `PlanParts`. */
  readonly ownAddresses?: readonly Address[]
  /** Lets others have a turn. */
  readonly pause: () => Promise<unknown>
  /** What the round before has left standing; undefined where there was none. */
  readonly before: StandingRoutes | undefined
}

/** Routes by what makes them, as `keyOf` says it. */
export type StandingRoutes = ReadonlySet<string>

export interface RouteReport {
  readonly self: RouteNode
  readonly plan: RoutePlan
  readonly changes: readonly RouteChange[]
  /** Of these changes, routes that stood after the round before: another program has taken them away, or a link was down. */
  readonly repaired: readonly RouteChange[]
  readonly refused: readonly RefusedChange[]
  readonly standing: StandingRoutes
  /** Links that packets to other nodes leave by. */
  readonly links: ReadonlySet<string>
}

/** Why nothing is changed. */
export type RoundHeld = 'this node is not among the Nodes'

/**
 * A list without the node that asks is not believed: all its routes would go. So it is where the Node was deleted, until kubelet
 * has registered it again.
 */
export async function routeRound(parts: RouteRoundParts): Promise<RouteReport | RoundHeld> {
  const { nodeName, cluster, settings, network, ownAddresses, pause, before } = parts
  const self = cluster.find(({ name }) => name === nodeName)
  if (self === undefined) return 'this node is not among the Nodes'
  const state = await kernelState(network)
  const plan = routePlan({ self, cluster, state, settings, ...(ownAddresses && { ownAddresses }) })
  const changes = routeChanges(plan, state)
  const refused = await applyChanges(changes, network, pause)
  return { self, plan, changes, repaired: repairedAmong(changes, before), refused, ...left(plan, refused, state) }
}

function repairedAmong(changes: readonly RouteChange[], before: StandingRoutes | undefined): readonly RouteChange[] {
  return changes.filter(change => change.do === 'add route' && before?.has(keyOf(change.route)))
}

function left(
  { routes, overlay }: RoutePlan,
  refused: readonly RefusedChange[],
  { links }: Pick<KernelState, 'links'>,
): Pick<RouteReport, 'standing' | 'links'> {
  const absent = new Set(refused.flatMap(({ change }) => (change.do === 'add route' ? [keyOf(change.route)] : [])))
  const used = new Set([...routes.map(({ link }) => link), ...(overlay === undefined ? [] : [overlay.underlay])])
  // Where no route could be laid, the link that comes up may be any.
  const known = used.size > 0 ? used : new Set(links.map(({ name }) => name))
  return { standing: new Set(routes.map(keyOf).filter(key => !absent.has(key))), links: known }
}
