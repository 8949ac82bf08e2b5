import { ADDRESS_BITS, familyOf } from '#values/address.ts'
import { OVERLAY_LINK } from '#values/overlay-link.ts'
import { same } from '#values/same.ts'
import type { RouteChange } from './changes.ts'
import type { KernelState, PlannedOverlay } from './route-plan.ts'

// The planned overlay, and its link as the kernel has it → what is to be changed, in two parts: what comes before routes, and
// what goes after them.

export interface OverlayChanges {
  readonly changes: readonly RouteChange[]
  /** The link is made, or made anew: what it had is gone. */
  readonly isNew: boolean
}

const NOTHING: OverlayChanges = { changes: [], isNew: false }

/** A VXLAN whose number, port or address is another is made anew: the kernel changes none of them. */
export function overlayChanges(plan: PlannedOverlay | undefined, state: KernelState): OverlayChanges {
  if (plan === undefined) return NOTHING
  const { vni, port, local, mac, mtu } = plan.options
  const present = overlayLink(state)
  const isKept = present !== undefined && same(present.vxlan, { vni, port, local })
  if (!isKept) {
    const before: readonly RouteChange[] = present === undefined ? [] : [{ do: 'delete overlay' }]
    const made: RouteChange = { do: 'add overlay', options: plan.options }
    return { changes: [...before, made, ...contents(plan, NONE, [])], isNew: true }
  }
  const change = {
    ...(present.mac !== mac && { mac }),
    ...(present.mtu !== mtu && { mtu }),
    ...(!present.isUp && { state: 'up' as const }),
  }
  const changed: readonly RouteChange[] = Object.keys(change).length === 0 ? [] : [{ do: 'change overlay', change }]
  return { changes: [...changed, ...contents(plan, state, overlayAddresses(state))], isNew: false }
}

export function overlayRemovals(
  plan: PlannedOverlay | undefined,
  state: KernelState,
  isNew: boolean,
): readonly RouteChange[] {
  if (plan === undefined) return overlayLink(state) === undefined ? [] : [{ do: 'delete overlay' }]
  if (isNew) return []
  const [addresses, macs] = [
    new Set(plan.neighbours.map(({ address }) => address)),
    new Set(plan.tunnels.map(({ mac }) => mac)),
  ]
  return [
    ...overlayAddresses(state)
      .filter(({ address, scope }) => scope !== 'link' && !plan.addresses.includes(address))
      .map(({ address, prefixLength }) => ({ do: 'delete address' as const, address, prefixLength })),
    ...state.neighbours
      .filter(({ address }) => !addresses.has(address))
      .map(neighbour => ({ do: 'delete neighbour' as const, neighbour })),
    ...state.tunnels.filter(({ mac }) => !macs.has(mac)).map(tunnel => ({ do: 'delete tunnel' as const, tunnel })),
  ]
}

const NONE = { neighbours: [], tunnels: [] } as const

function contents(
  { addresses, neighbours, tunnels }: PlannedOverlay,
  present: Pick<KernelState, 'neighbours' | 'tunnels'>,
  presentAddresses: readonly { readonly address: string }[],
): readonly RouteChange[] {
  const has = new Set(presentAddresses.map(({ address }) => address))
  const macs = new Map(present.neighbours.map(({ address, mac }) => [address, mac]))
  const hosts = new Map(present.tunnels.map(({ mac, host }) => [mac, host]))
  return [
    ...addresses
      .filter(address => !has.has(address))
      .map(address => ({ do: 'add address' as const, address, prefixLength: ADDRESS_BITS[familyOf(address)] })),
    ...tunnels
      .filter(({ mac, host }) => hosts.get(mac) !== host)
      .map(tunnel => ({ do: 'set tunnel' as const, tunnel })),
    ...neighbours
      .filter(({ address, mac }) => macs.get(address) !== mac)
      .map(neighbour => ({ do: 'set neighbour' as const, neighbour })),
  ]
}

function overlayLink({ links }: Pick<KernelState, 'links'>) {
  return links.find(({ name }) => name === OVERLAY_LINK)
}

function overlayAddresses({ links, addresses }: Pick<KernelState, 'links' | 'addresses'>) {
  const index = overlayLink({ links })?.index
  return addresses.filter(({ link }) => link === index)
}
