import type { Settings } from '#config/settings.ts'
import type { Node } from '#kubernetes/objects.ts'
import { masqueraded } from '#proxy/desired/masquerade.ts'
import type { LocalPods, Needs, NodeView } from '#proxy/desired/node-view.ts'
import type { NodeFacts, NodeReader } from '#proxy/sync/draft.ts'
import { type Address, type Family, familyOf, isLoopback, parseAddress } from '#values/address.ts'
import { type Cidr, cidrFamily, contains, prefixLength } from '#values/cidr.ts'
import { type CommentLimit, EndpointComments } from './endpoint-comments.ts'
import { serviceRanges } from './service-ranges.ts'

// Settings, the Node object and the host's network → the facts of this node, in one family.

/** What was read from the host. Addresses and routes are read again while the agent runs. */
export interface HostNetwork {
  readonly addresses: Readonly<Record<Family, readonly Address[]>>
  /** nf_conntrack_tcp_be_liberal is set: odd packets are to pass, so no rule may drop those that are called INVALID. */
  readonly liberalConntrack: boolean
  /** The destinations of its routes, in a mode that needs them. */
  readonly routes?: Readonly<Record<Family, readonly Cidr[]>>
}

export interface NodeReaderOptions {
  readonly settings: Settings
  readonly family: Family
  readonly nodeName: string
  /** Called at each update of the rules, so that an address that comes or goes is noticed. */
  readonly hostNetwork: () => HostNetwork
  readonly comments?: CommentLimit
}

/** Up to this many, KUBE-SERVICES is exactly kube-proxy's; beyond, its length delays a connection's first packet. */
const FLAT_SERVICES = 1000

export function nodeReader({
  settings,
  family,
  nodeName,
  hostNetwork,
  comments = new EndpointComments(),
}: NodeReaderOptions): NodeReader {
  return (cluster, endpoints, needs) => {
    const { addresses, liberalConntrack, routes } = hostNetwork()
    const { node } = cluster
    const localPods = localPodsOf(settings, family, node)
    const nodeIP = nodeAddress(settings, family, node)
    const zone = node?.zone
    const ports = nodePortAddresses(settings, family, { nodeIP, addresses: addresses[family], needs })
    const masquerade = masqueraded(settings.masqueradeAll, localPods)
    const view: NodeView = {
      family,
      mark: 2 ** settings.masqueradeBit,
      ...(localPods !== undefined && { localPods }),
      nodePortAddresses: ports,
      masquerade,
      dispatch: cluster.serviceCount <= FLAT_SERVICES ? 'flat' : 'tree',
      ...(nodeIP !== undefined && { nodeIP }),
      ...(needs.localhost && { localhostNodePorts: localhostNodePorts(settings, family, needs) }),
      ...(needs.invalid && { dropInvalid: !liberalConntrack }),
      ...(needs.comments && { endpointComments: comments.at(endpoints) }),
      ...(needs.addresses && { nodeAddresses: addresses[family] }),
      ...(needs.serviceRanges &&
        serviceRanges({
          family,
          ranges: cluster.serviceRanges,
          addresses: addresses[family],
          routes: routes?.[family] ?? [],
        })),
    }
    return {
      thisNode: {
        ...{ family, nodeName, masquerade },
        ...(zone !== undefined && { zone }),
        ...(nodeIP !== undefined && { nodeIP }),
      },
      view,
      addresses: addresses[family],
    }
  }
}

function localPodsOf(
  { detectLocal, clusterCIDRs }: Settings,
  family: Family,
  node: Node | undefined,
): LocalPods | undefined {
  switch (detectLocal.mode) {
    case 'ClusterCIDR':
      return byCidr(clusterCIDRs, family)
    case 'NodeCIDR':
      return byCidr(node?.podCIDRs ?? [], family)
    case 'BridgeInterface':
      return { by: 'interface', name: detectLocal.bridgeInterface }
    case 'InterfaceNamePrefix':
      return { by: 'interface-prefix', prefix: detectLocal.interfaceNamePrefix }
  }
}

function byCidr(cidrs: readonly Cidr[], family: Family): LocalPods | undefined {
  const cidr = cidrs.find(range => cidrFamily(range) === family)
  return cidr === undefined ? undefined : { by: 'cidr', cidr }
}

/** --bind-address names the node's address, where it names one at all. */
function nodeAddress({ bindAddress }: Settings, family: Family, node: Node | undefined): Address | undefined {
  const named = !UNSPECIFIED.includes(bindAddress) && familyOf(bindAddress) === family
  return named ? bindAddress : node?.addresses.find(ip => familyOf(ip) === family)
}

const UNSPECIFIED: readonly string[] = ['0.0.0.0', '::']

interface OwnAddresses {
  readonly nodeIP: Address | undefined
  readonly addresses: readonly Address[]
}

/** Where health checks of Services are answered: as in kube-proxy, on loopback, too, where the ranges name it. */
export function healthCheckAddresses(
  settings: Settings,
  { view, addresses }: Pick<NodeFacts, 'view' | 'addresses'>,
): NodeView['nodePortAddresses'] {
  return chosenAddresses(settings, view.family, { nodeIP: view.nodeIP, addresses })
}

/** The kernel routes no node port to a loopback address, but for one case. */
function nodePortAddresses(
  settings: Settings,
  family: Family,
  { needs, ...present }: OwnAddresses & { readonly needs: Needs },
): NodeView['nodePortAddresses'] {
  const chosen = chosenAddresses(settings, family, present)
  if (chosen === 'all' || settings.nodePortAddresses === 'primary' || localhostNodePorts(settings, family, needs))
    return chosen
  return chosen.filter(ip => !isLoopback(ip))
}

/** `primary` on a node without an address in this family means none, not all: the settings did not ask for all. */
function chosenAddresses(
  settings: Settings,
  family: Family,
  { nodeIP, addresses }: OwnAddresses,
): NodeView['nodePortAddresses'] {
  if (settings.nodePortAddresses === 'primary') return nodeIP === undefined ? [] : [nodeIP]
  const ranges = settings.nodePortAddresses.filter(range => cidrFamily(range) === family)
  if (ranges.length === 0 || ranges.some(range => prefixLength(range) === 0)) return 'all'
  return addresses.filter(ip => ranges.some(range => contains(range, ip)))
}

/** Only IPv4 can be routed to localhost, and only where the node port addresses include it. */
export function localhostNodePorts(
  { iptables, nodePortAddresses }: Settings,
  family: Family,
  { localhost }: Needs,
): boolean {
  if (!localhost || family !== 'ipv4' || !iptables.localhostNodePorts || nodePortAddresses === 'primary') return false
  const ranges = nodePortAddresses.filter(range => cidrFamily(range) === 'ipv4')
  return ranges.length === 0 || ranges.some(range => contains(range, LOCALHOST) || range.startsWith('127.'))
}

const LOCALHOST = parseAddress('127.0.0.1')!
