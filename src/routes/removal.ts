import type { NamespaceNetwork } from '#system/network/network.ts'
import type { Kernel } from '#system/ports.ts'
import { OVERLAY_LINK } from '#values/overlay-link.ts'
import { kernelState } from './kernel/kernel-state.ts'
import { removeForwardRules } from './masquerade/forward-keeper.ts'
import { iptablesBackend } from './masquerade/iptables-backend.ts'
import { nftablesBackend } from './masquerade/nftables-backend.ts'
import { ownRoutes } from './plan/difference.ts'

// All that routes to other nodes have put on this node → gone: for a node that is to have another pod network.

export interface Removed {
  readonly routes: number
  readonly overlay: 'removed' | 'none'
}

/** Routes that are not ours stay. Fails with NetworkRefused or CommandFailed. */
export async function removeRoutes(network: NamespaceNetwork, kernel: Kernel): Promise<Removed> {
  const routes = ownRoutes(await kernelState(network))
  for (const route of routes) await network.deleteRoute(route)
  const overlay = (await network.deleteLink(OVERLAY_LINK)) ? 'removed' : 'none'
  for (const backend of [nftablesBackend(kernel), iptablesBackend(kernel)]) await backend.remove()
  await removeForwardRules(kernel)
  return { routes: routes.length, overlay }
}
