import type { RouteChange } from '#routes/plan/changes.ts'
import type { KernelState, RoutePlan } from '#routes/plan/route-plan.ts'
import type { NetworkRoute } from '#system/network/network.ts'
import { OVERLAY_LINK } from '#values/overlay-link.ts'
import type { NodeDifference } from '../difference.ts'

// What would make the routes of a node what they should be → differences: a change that goes and one that comes are one.

export function routeDifferences(
  changes: readonly RouteChange[],
  plan: RoutePlan,
  state: KernelState,
): readonly NodeDifference[] {
  const gone = changes.flatMap(change => (change.do === 'delete route' ? [change.route] : []))
  const come = changes.flatMap(change => (change.do === 'add route' ? [change.route] : []))
  // A link that is made, or comes up, brings its routes along: without it they cannot be there.
  const isMade = changes.some(
    change => change.do === 'add overlay' || (change.do === 'change overlay' && change.change.state === 'up'),
  )
  const replaced = new Set(come.map(({ destination }) => destination))
  return [
    ...overlayDifferences(changes, state),
    ...come
      .filter(({ link }) => !(isMade && link === OVERLAY_LINK))
      .map(route =>
        comeDifference(
          route,
          gone.find(one => one.destination === route.destination),
          plan,
        ),
      ),
    ...gone
      .filter(({ destination }) => !replaced.has(destination))
      .map(
        (route): NodeDifference => ({
          ...{ kind: 'extra', part: 'routes', unit: `route ${route.destination}`, owners: [] },
          ...{ found: [routeText(route)], wanted: [], alike: 0 },
          means: `packets to ${route.destination}, which is of no other node now, go to ${route.gateway ?? route.link}`,
        }),
      ),
    ...plan.refused.map(
      ({ node, range, why }): NodeDifference => ({
        ...{ kind: 'refused', part: 'routes', unit: `route ${range}`, owners: [`node ${node}`] },
        ...{ found: [why], wanted: [], alike: 0 },
        means: `pods of this node do not reach those of node ${node} in ${range}, unless that other way leads there`,
      }),
    ),
  ]
}

function comeDifference(route: NetworkRoute, before: NetworkRoute | undefined, plan: RoutePlan): NodeDifference {
  const node = plan.routes.find(({ destination }) => destination === route.destination)?.node
  const means = `pods of this node do not reach those of node ${node} in ${route.destination}`
  return {
    ...{ kind: before === undefined ? 'missing' : 'different', part: 'routes', unit: `route ${route.destination}` },
    owners: node === undefined ? [] : [`node ${node}`],
    ...{ found: before === undefined ? [] : [routeText(before)], wanted: [routeText(route)], alike: 0 },
    means:
      before === undefined
        ? means
        : `packets to pods of node ${node} in ${route.destination} go to ${before.gateway ?? before.link}`,
  }
}

export function routeText({ destination, gateway, link, isOnLink }: NetworkRoute): string {
  return [destination, gateway && `via ${gateway}`, link && `dev ${link}`, isOnLink && 'onlink']
    .filter(Boolean)
    .join(' ')
}

function overlayDifferences(
  changes: readonly RouteChange[],
  { links, neighbours, tunnels }: KernelState,
): readonly NodeDifference[] {
  const unit = `overlay ${OVERLAY_LINK}`
  const base = { part: 'routes', owners: [], alike: 0 } as const
  const isMade = changes.some(change => change.do === 'add overlay')
  return changes.flatMap((change): readonly NodeDifference[] => {
    switch (change.do) {
      case 'add overlay': {
        const present = links.find(({ name }) => name === OVERLAY_LINK)
        const { vni, port, local } = change.options
        const wanted = [`vni ${vni} port ${port} local ${local}`]
        const found = present === undefined ? [] : [vxlanText(present.vxlan)]
        const means = 'pods of this node reach none of a node behind the overlay'
        return [{ ...base, kind: present === undefined ? 'missing' : 'different', unit, found, wanted, means }]
      }
      case 'delete overlay':
        return isMade
          ? []
          : [
              {
                ...base,
                kind: 'extra',
                unit,
                found: ['it is there'],
                wanted: [],
                means: 'no node is reached over it now',
              },
            ]
      case 'change overlay': {
        const present = links.find(({ name }) => name === OVERLAY_LINK)
        const { mac, mtu, state } = change.change
        const wanted = [mac && `address ${mac}`, mtu && `mtu ${mtu}`, state && `link ${state}`].filter(
          text => text,
        ) as string[]
        const found = [mac && `address ${present?.mac}`, mtu && `mtu ${present?.mtu}`, state && 'link down'].filter(
          text => text,
        ) as string[]
        const means = state
          ? 'pods of this node reach none of a node behind the overlay'
          : mac
            ? 'other nodes send to another hardware address: nothing from behind the overlay arrives'
            : 'packets that are too large for the way are lost, or smaller than they need be'
        return [{ ...base, kind: 'different', unit, found, wanted, means }]
      }
      default:
        return isMade ? [] : inOverlay(change, { base, unit, neighbours, tunnels })
    }
  })
}

interface InOverlay extends Pick<KernelState, 'neighbours' | 'tunnels'> {
  readonly base: { readonly part: 'routes'; readonly owners: readonly string[]; readonly alike: number }
  readonly unit: string
}

function inOverlay(change: RouteChange, { base, unit, neighbours, tunnels }: InOverlay): readonly NodeDifference[] {
  switch (change.do) {
    case 'add address':
    case 'delete address': {
      const text = `${change.address}/${change.prefixLength}`
      const isMissing = change.do === 'add address'
      const means = isMissing
        ? 'what this node itself sends to pods behind the overlay comes from an address that they cannot answer'
        : 'what this node itself sends to pods behind the overlay may come from it'
      return [
        {
          ...base,
          kind: isMissing ? 'missing' : 'extra',
          unit: `${unit}: address ${text}`,
          found: [],
          wanted: [],
          means,
        },
      ]
    }
    case 'set neighbour':
    case 'delete neighbour': {
      const { address, mac } = change.neighbour
      const present = neighbours.find(one => one.address === address)
      const means =
        change.do === 'set neighbour'
          ? `packets to the range of ${address} do not find its node`
          : 'nothing is sent there now'
      const kind = change.do === 'delete neighbour' ? 'extra' : present === undefined ? 'missing' : 'different'
      const found = present === undefined ? [] : [present.mac]
      return [
        { ...base, kind, unit: `${unit}: neighbour ${address}`, found, wanted: kind === 'extra' ? [] : [mac], means },
      ]
    }
    case 'set tunnel':
    case 'delete tunnel': {
      const { mac, host } = change.tunnel
      const present = tunnels.find(one => one.mac === mac)
      const means =
        change.do === 'set tunnel'
          ? `packets to pods of the node at ${host} do not arrive there`
          : 'nothing is sent there now'
      const kind = change.do === 'delete tunnel' ? 'extra' : present === undefined ? 'missing' : 'different'
      const found = present === undefined ? [] : [present.host]
      return [{ ...base, kind, unit: `${unit}: tunnel ${mac}`, found, wanted: kind === 'extra' ? [] : [host], means }]
    }
    default:
      return []
  }
}

function vxlanText(
  vxlan: { readonly vni: number; readonly port: number; readonly local?: string } | undefined,
): string {
  return vxlan === undefined ? 'it is no VXLAN' : `vni ${vxlan.vni} port ${vxlan.port} local ${vxlan.local ?? 'none'}`
}
