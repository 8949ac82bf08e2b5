import type { Node } from '#kubernetes/objects.ts'
import type { LinkState } from '#system/network/network.ts'
import { type Address, parseAddress } from '#values/address.ts'
import { contains } from '#values/cidr.ts'
import { OVERLAY_LINK } from '#values/overlay-link.ts'
import type { Station } from '../answer.ts'
import type { KnownPod } from '../names/directory.ts'
import type { NodeNetwork, PodAttachment } from './attachment.ts'
import { routeFor, routeText } from './routes.ts'

// The network of a node and its pods → the stations of a packet before its rules and behind them.

export interface Landscape {
  readonly nodeName: string
  readonly nodes: readonly Node[]
  readonly pods: readonly KnownPod[]
  /** Undefined where this is another machine: its kernel cannot be asked. */
  readonly network: NodeNetwork | undefined
  readonly attachments: readonly PodAttachment[]
}

/** From a pod of this node up to its bridge. */
export function stationsBefore(from: Address, to: Address, { network, attachments }: Landscape): readonly Station[] {
  const attachment = attachments.find(({ address }) => address === from)
  if (attachment === undefined || network === undefined) return []
  const { pod, ifname, inside } = attachment
  const at = `pod ${pod}`
  if (inside === undefined) return [{ at, text: `its network namespace ${attachment.netns ?? ''} cannot be entered` }]
  if (inside.link === undefined) return [{ at, text: `has no interface ${ifname}: it is attached to nothing` }]
  const has = inside.addresses.some(({ address }) => address === from)
  const route = routeFor(inside.routes, to)
  const text = [
    `${ifname}${inside.link.isUp ? '' : ', which is down'}`,
    has ? String(from) : `which lacks ${from}`,
    route === undefined ? `and no route leads to ${to}` : routeText(route),
  ].join(', ')
  return [{ at, text }, ...portStations(portOf(inside.link, network), network)]
}

/** The other end of a pod's interface. */
function portOf({ peer }: LinkState, { links }: NodeNetwork): LinkState | undefined {
  return peer === undefined ? undefined : links.find(({ index, kind }) => index === peer && kind === 'veth')
}

function portStations(port: LinkState | undefined, { links }: NodeNetwork): readonly Station[] {
  if (port === undefined) return [{ at: 'node', text: "the other end of the pod's interface is gone" }]
  const bridge = links.find(({ index }) => index === port.master)
  const down = port.isUp ? '' : ', which is down'
  if (bridge === undefined)
    return [{ at: `node, ${port.name}`, text: `the pod's interface${down}, a port of no bridge` }]
  return [
    {
      at: `node, ${port.name}`,
      text: `the pod's interface${down}, a port of bridge ${bridge.name}${bridge.isUp ? '' : ', which is down'}`,
    },
  ]
}

/** From the rules to an endpoint `10.244.2.3:80`, or to an address. */
export function stationsAfter(endpoint: string, landscape: Landscape): readonly Station[] {
  const [, bracketed, plain] = /^(?:\[([^\]]+)\]|([\d.]+))/.exec(endpoint) ?? []
  // `2001:db8::1` begins with digits, too.
  const to = parseAddress(endpoint) ?? parseAddress(bracketed ?? plain)
  if (to === undefined) return []
  const { network, nodes, nodeName } = landscape
  const other = nodes.find(
    ({ name, addresses, podCIDRs }) =>
      name !== nodeName && (addresses.includes(to) || podCIDRs.some(range => contains(range, to))),
  )
  const here = network === undefined ? [] : routeStations(to, network)
  const beyond = other === undefined ? localStations(to, landscape) : otherNode(to, other, landscape)
  return [...here, ...beyond]
}

function routeStations(to: Address, network: NodeNetwork): readonly Station[] {
  if (network.addresses.some(({ address }) => address === to)) return []
  const route = routeFor(network.routes, to)
  if (route === undefined) return [{ at: 'node', text: `no route leads to ${to}` }]
  const link = network.links.find(({ name }) => name === route.link)
  const down = link === undefined || link.isUp ? '' : ', which is down'
  if (route.link !== OVERLAY_LINK) return [{ at: 'node', text: `${routeText(route)}${down}` }]
  const mac = network.neighbours.find(({ address }) => address === route.gateway)?.mac
  const host = network.tunnels.find(one => one.mac === mac)?.host
  const tunnel =
    host === undefined ? `, and the overlay does not know where ${route.gateway} is` : `, in VXLAN to ${host}`
  return [{ at: 'node', text: `${routeText(route)}${down}${tunnel}` }]
}

function localStations(to: Address, { attachments, network, pods }: Landscape): readonly Station[] {
  const attachment = attachments.find(({ address }) => address === to)
  if (attachment === undefined) {
    const pod = pods.find(one => one.addresses.includes(to) && !one.isFinished)
    return pod === undefined ? [] : [{ at: `pod ${pod.pod}`, text: String(to) }]
  }
  const { pod, inside, ifname } = attachment
  const port = inside?.link && network ? portStations(portOf(inside.link, network), network) : []
  const lacks = inside !== undefined && !inside.addresses.some(({ address }) => address === to)
  return [...port, { at: `pod ${pod}`, text: `${ifname}, ${lacks ? `which lacks ${to}` : to}` }]
}

function otherNode(to: Address, node: Node, { pods }: Landscape): readonly Station[] {
  const pod = pods.find(one => one.addresses.includes(to) && !one.isFinished && !one.isOnHost)
  const text =
    node.addresses.includes(to) || pod === undefined ? `${to} is its own` : `its bridge leads to pod ${pod.pod} (${to})`
  const unknown = !node.addresses.includes(to) && pod === undefined ? `${to} is in its range of pods` : text
  return [{ at: `node ${node.name}`, text: unknown }]
}
