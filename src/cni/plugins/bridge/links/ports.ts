import type { Holder } from '#ipam/leases/lease-book.ts'
import type { LinkState, Networks } from '#system/network/network.ts'
import { interfaceTag, networkTag } from '../rules/names.ts'

// Ports of the node's bridges, known by the alias each was given → gone, with the interface in the pod, where its pod's
// namespace lives on and the runtime no longer knows of it.

/** Which holders have a port now: where one is there, so is the interface at its other end, in whatever namespace. */
export async function portOwners(networks: Networks): Promise<(holder: Holder) => boolean> {
  const node = await networks.open()
  try {
    const tags = new Set(
      (await node.links()).flatMap(({ kind, alias = '' }) => (kind === 'veth' ? alias.split(',')[0]! : [])),
    )
    return holder => tags.has(interfaceTag(holder))
  } finally {
    node.close()
  }
}

/** Succeeds where there is none. */
export async function takePort(networks: Networks, holder: Holder): Promise<void> {
  await takeAll(networks, ({ alias = '' }) => alias.startsWith(interfaceTag(holder)))
}

/** Those of every other interface in the network. */
export async function keepPorts(networks: Networks, network: string, holders: readonly Holder[]): Promise<void> {
  const kept = holders.map(interfaceTag)
  await takeAll(
    networks,
    ({ alias = '' }) => alias.startsWith(networkTag(network)) && !kept.some(tag => alias.startsWith(tag)),
  )
}

async function takeAll(networks: Networks, isGone: (link: LinkState) => boolean): Promise<void> {
  const node = await networks.open()
  try {
    const links = await node.links()
    for (const { name } of links.filter(link => link.kind === 'veth' && isGone(link))) await node.deleteLink(name)
  } finally {
    node.close()
  }
}
