import type { NodeNetwork, PodAttachment } from '#explain/pods/attachment.ts'
import type { Lease } from '#ipam/leases/lease-book.ts'
import { readLeases } from '#ipam/leases/lease-view.ts'
import { kernelState } from '#routes/kernel/kernel-state.ts'
import type { Networks } from '#system/network/network.ts'
import type { Address } from '#values/address.ts'

// This node's network, and the pods that have leases here → as a question about a packet needs them.

export async function nodeNetwork(networks: Networks): Promise<NodeNetwork | undefined> {
  try {
    const node = await networks.open()
    try {
      return await kernelState(node)
    } finally {
      node.close()
    }
  } catch {
    // Without the rights for it, rules are explained all the same.
    return undefined
  }
}

/** Of all networks, assigned. Undefined where this node has no database of leases. */
export function leasesHere(database: string, now: number): readonly Lease[] | undefined {
  try {
    const networks = readLeases(database, now)
    return networks?.flatMap(({ leases }) => leases).filter(({ state }) => state === 'assigned')
  } catch {
    return undefined
  }
}

/** Only of these addresses: each is a namespace to look into. */
export async function attachmentsOf(
  addresses: readonly Address[],
  leases: readonly Lease[],
  networks: Networks,
): Promise<readonly PodAttachment[]> {
  const asked = leases.filter(({ address }) => addresses.includes(address))
  return Promise.all(asked.map(lease => attachmentOf(lease, networks)))
}

async function attachmentOf(lease: Lease, networks: Networks): Promise<PodAttachment> {
  const { pod, container, network, address, ifname, netns } = lease
  const known = { pod: pod ?? `container ${container.slice(0, 13)}`, network, address, ifname }
  if (netns === undefined || netns === '') return known
  try {
    const inside = await networks.open(netns)
    try {
      const link = await inside.link(ifname)
      const addresses = link === undefined ? [] : await inside.addresses(ifname)
      const routes = { ipv4: await inside.routes('ipv4'), ipv6: await inside.routes('ipv6') }
      return { ...known, netns, inside: { link, addresses, routes } }
    } finally {
      inside.close()
    }
  } catch {
    return { ...known, netns }
  }
}
