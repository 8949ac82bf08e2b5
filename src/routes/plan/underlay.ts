import type { Address } from '#values/address.ts'
import type { RouteNode } from '../cluster/route-node.ts'
import type { KernelState } from './route-plan.ts'

// This node's addresses and links → where packets of the overlay leave it.

export interface Underlay {
  readonly local: Address
  /** The name of the link that has it. */
  readonly link: string
  readonly mtu: number
}

/** By the first address of the Node that is really here: behind a NAT, the Node has some that are not. */
export function underlayOf(
  { addresses }: Pick<RouteNode, 'addresses'>,
  state: Pick<KernelState, 'links' | 'addresses'>,
): Underlay | undefined {
  for (const local of addresses) {
    const index = state.addresses.find(({ address }) => address === local)?.link
    const link = state.links.find(one => one.index === index)
    if (link !== undefined) return { local, link: link.name, mtu: link.mtu }
  }
  return undefined
}
