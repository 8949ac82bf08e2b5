import { type NamespaceNetwork, NetworkRefused } from '#system/network/network.ts'
import { OVERLAY_LINK } from '#values/overlay-link.ts'
import type { RouteChange } from '../plan/changes.ts'

// Changes → the kernel, each by itself: one that is refused keeps no other from being made.

export interface RefusedChange {
  readonly change: RouteChange
  readonly error: NetworkRefused
}

/** Each takes some 0.1 ms of the main thread: after so many of them, calls of pods have their turn. */
const AT_ONCE = 100

export async function applyChanges(
  changes: readonly RouteChange[],
  network: NamespaceNetwork,
  pause: () => Promise<unknown>,
): Promise<readonly RefusedChange[]> {
  const refused: RefusedChange[] = []
  for (const [i, change] of changes.entries()) {
    if (i > 0 && i % AT_ONCE === 0) await pause()
    try {
      await apply(change, network)
    } catch (error) {
      if (!(error instanceof NetworkRefused)) throw error
      refused.push({ change, error })
    }
  }
  return refused
}

async function apply(change: RouteChange, network: NamespaceNetwork): Promise<unknown> {
  const { neighbours } = network
  switch (change.do) {
    case 'add overlay':
      await network.addVxlan(OVERLAY_LINK, change.options)
      return network.changeLink(OVERLAY_LINK, { state: 'up' })
    case 'change overlay':
      return network.changeLink(OVERLAY_LINK, change.change)
    case 'delete overlay':
      return network.deleteLink(OVERLAY_LINK)
    case 'add address':
      return network.addAddress(OVERLAY_LINK, { ...addressOf(change), withoutDad: true })
    case 'delete address':
      return network.deleteAddress(OVERLAY_LINK, addressOf(change))
    case 'set tunnel':
      return neighbours.setTunnel(OVERLAY_LINK, change.tunnel)
    case 'delete tunnel':
      return neighbours.deleteTunnel(OVERLAY_LINK, change.tunnel)
    case 'set neighbour':
      return neighbours.set(OVERLAY_LINK, change.neighbour)
    case 'delete neighbour':
      return neighbours.delete(OVERLAY_LINK, change.neighbour)
    case 'add route':
      return network.addRoute(change.route)
    case 'delete route':
      return network.deleteRoute(change.route)
  }
}

function addressOf({ address, prefixLength }: Extract<RouteChange, { prefixLength: number }>) {
  return { address, prefixLength }
}
