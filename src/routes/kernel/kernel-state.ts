import type { NamespaceNetwork } from '#system/network/network.ts'
import { OVERLAY_LINK } from '#values/overlay-link.ts'
import type { KernelState } from '../plan/route-plan.ts'

// The network of this node → what routes are planned and compared with.

export async function kernelState(network: NamespaceNetwork): Promise<KernelState> {
  const links = await network.links()
  const hasOverlay = links.some(({ name, kind }) => name === OVERLAY_LINK && kind === 'vxlan')
  return {
    links,
    addresses: await network.addresses(),
    routes: { ipv4: await network.routes('ipv4'), ipv6: await network.routes('ipv6') },
    neighbours: hasOverlay ? await network.neighbours.list(OVERLAY_LINK) : [],
    tunnels: hasOverlay ? await network.neighbours.tunnels(OVERLAY_LINK) : [],
  }
}
