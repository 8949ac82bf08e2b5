import type { NetworkRoute } from '#system/network/network.ts'
import { FAMILIES } from '#values/address.ts'
import { OVERLAY_LINK } from '#values/overlay-link.ts'
import type { RouteChange } from './changes.ts'
import { overlayChanges, overlayRemovals } from './overlay-difference.ts'
import { type KernelState, MAIN_TABLE, type PlannedRoute, ROUTE_PROTOCOL, type RoutePlan } from './route-plan.ts'

// What is planned, and what the kernel has → changes in an order in which no packet finds half a way: what a route stands on
// comes before it and goes after it, and a new route stands before the old one goes.

export function routeChanges(plan: RoutePlan, state: KernelState): readonly RouteChange[] {
  const overlay = overlayChanges(plan.overlay, state)
  const present = ownRoutes(state)
  // With their link, the kernel takes away its routes.
  const kept = overlay.isNew ? present.filter(({ link }) => link !== OVERLAY_LINK) : present
  const wanted = new Map(plan.routes.map(route => [keyOf(route), route]))
  const standing = new Set(kept.map(keyOf))
  const missing = plan.routes.filter(route => !standing.has(keyOf(route)))
  const left = kept.filter(route => !wanted.has(keyOf(route)))
  return [
    ...overlay.changes,
    ...missing.map(route => ({ do: 'add route' as const, route: ownRoute(route) })),
    ...left.map(route => ({ do: 'delete route' as const, route })),
    ...overlayRemovals(plan.overlay, state, overlay.isNew),
  ]
}

export function ownRoutes({ routes }: Pick<KernelState, 'routes'>): readonly NetworkRoute[] {
  const all = FAMILIES.flatMap(family => routes[family])
  return all.filter(({ table, protocol }) => table === MAIN_TABLE && protocol === ROUTE_PROTOCOL)
}

/** Planned routes that the kernel has. */
export function standingRoutes(plan: RoutePlan, state: Pick<KernelState, 'routes'>): readonly PlannedRoute[] {
  const standing = new Set(ownRoutes(state).map(keyOf))
  return plan.routes.filter(route => standing.has(keyOf(route)))
}

export function keyOf({ destination, gateway, link, isOnLink }: Pick<NetworkRoute, RouteKey>): string {
  return `${destination} ${gateway} ${link}${isOnLink ? ' onlink' : ''}`
}

type RouteKey = 'destination' | 'gateway' | 'link' | 'isOnLink'

function ownRoute({ destination, gateway, link, isOnLink }: PlannedRoute): NetworkRoute {
  return { destination, gateway, link, isOnLink, protocol: ROUTE_PROTOCOL }
}
