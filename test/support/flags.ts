import { masqueraded } from '#proxy/desired/masquerade.ts'
import type { LocalPods, NodeView } from '#proxy/desired/node-view.ts'
import type { NodeReader } from '#proxy/sync/draft.ts'
import { ADDRESS_BITS, type Address, type Family, familyOf } from '#values/address.ts'
import { type Cidr, cidrFamily, contains, parseCidr, prefixLength } from '#values/cidr.ts'
import { ip } from './objects.ts'

// The flags that shape rules, as an operator sets them → the facts about a node, as kube-proxy derives them.

export interface Flags {
  readonly nodeName: string
  readonly localPods: DetectLocal
  readonly masqueradeAll: boolean
  /** --nodeport-addresses; empty: all. */
  readonly nodePortAddresses: 'primary' | readonly Cidr[]
  readonly localhostNodePorts: boolean
  readonly masqueradeBit: number
}

/** --detect-local-mode with the flag that goes with it. */
export type DetectLocal =
  | { readonly by: 'cluster-cidr'; readonly cidrs: readonly Cidr[] }
  | { readonly by: 'node-cidr' }
  | { readonly by: 'bridge'; readonly name: string }
  | { readonly by: 'prefix'; readonly prefix: string }

export const DEFAULT_FLAGS: Flags = {
  nodeName: 'here',
  localPods: { by: 'cluster-cidr', cidrs: [] },
  masqueradeAll: false,
  nodePortAddresses: [],
  localhostNodePorts: true,
  masqueradeBit: 14,
}

/** The inputs of one family's lane: flags, and the addresses that the host's interfaces have now. */
export interface NodeFactsOptions {
  readonly flags: Flags
  readonly family: Family
  readonly addresses: readonly Address[]
  /** How a mode with a choice dispatches packets to frontends; the results must be the same. */
  readonly dispatch?: NodeView['dispatch']
}

export function nodeFacts({ flags, family, addresses, dispatch = 'flat' }: NodeFactsOptions): NodeReader {
  const own = addresses.filter(address => familyOf(address) === family)
  return ({ node }, endpoints, needs) => {
    const localPods = podsOf(flags.localPods, family, node?.podCIDRs ?? [])
    const nodeIP = node?.addresses.find(address => familyOf(address) === family)
    const masquerade = masqueraded(flags.masqueradeAll, localPods)
    const ranges = portRanges(flags, family, nodeIP)
    const localhostNodePorts = flags.localhostNodePorts && family === 'ipv4' && reachesLocalhost(ranges)
    const view: NodeView = {
      family,
      mark: 2 ** flags.masqueradeBit,
      ...(localPods !== undefined && { localPods }),
      nodePortAddresses: ranges === 'all' ? 'all' : own.filter(isIn(ranges)).filter(allowsLoopback(localhostNodePorts)),
      ...(needs.localhost && { localhostNodePorts }),
      ...(needs.invalid && { dropInvalid: true }),
      ...(needs.comments && { endpointComments: endpoints <= 1000 }),
      dispatch,
      ...(nodeIP !== undefined && { nodeIP }),
      masquerade,
      nodeAddresses: own,
    }
    const zone = node?.zone
    return {
      thisNode: {
        ...{ family, nodeName: flags.nodeName, masquerade },
        ...(zone !== undefined && { zone }),
        ...(nodeIP !== undefined && { nodeIP }),
      },
      view,
      addresses: own,
    }
  }
}

function podsOf(pods: DetectLocal, family: Family, podCIDRs: readonly Cidr[]): LocalPods | undefined {
  if (pods.by === 'bridge') return { by: 'interface', name: pods.name }
  if (pods.by === 'prefix') return { by: 'interface-prefix', prefix: pods.prefix }
  const cidr = (pods.by === 'cluster-cidr' ? pods.cidrs : podCIDRs).find(range => cidrFamily(range) === family)
  return cidr && { by: 'cidr', cidr }
}

type Ranges = 'all' | readonly Cidr[]

/**
 * A family without a range of its own has all addresses; so has `primary` where the node has no address in the family.
 */
function portRanges({ nodePortAddresses }: Flags, family: Family, nodeIP: Address | undefined): Ranges {
  if (nodePortAddresses === 'primary') {
    return nodeIP === undefined ? 'all' : [parseCidr(`${nodeIP}/${ADDRESS_BITS[family]}`)!]
  }
  const own = nodePortAddresses.filter(range => cidrFamily(range) === family)
  return own.length === 0 || own.some(range => prefixLength(range) === 0) ? 'all' : own
}

function reachesLocalhost(ranges: Ranges): boolean {
  return ranges === 'all' || ranges.some(range => range.startsWith('127.') || contains(range, ip('127.0.0.0')))
}

function isIn(ranges: readonly Cidr[]): (address: Address) => boolean {
  return address => ranges.some(range => contains(range, address))
}

function allowsLoopback(localhost: boolean): (address: Address) => boolean {
  return address => localhost || !(address === '::1' || address.startsWith('127.'))
}
