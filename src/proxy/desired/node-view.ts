import type { Address, Family } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'
import type { ThisNode } from './this-node.ts'

// What a mode must know of the node it writes for, in one family: every setting and every fact of the host that shapes
// rules.

export interface NodeView {
  readonly family: Family
  /** The mark of packets to be masqueraded: 1 << masqueradeBit. */
  readonly mark: number
  /** How a packet of one of this node's pods is recognised; absent where nothing was configured. */
  readonly localPods?: LocalPods
  /** Node ports answer on every address of the node, or only on these. */
  readonly nodePortAddresses: 'all' | readonly Address[]
  /** Whether node ports answer on 127.0.0.1. */
  readonly localhostNodePorts: boolean
  /** Whether packets in conntrack state INVALID are dropped; false where nf_conntrack_tcp_be_liberal is set. */
  readonly dropInvalid: boolean
  /** Whether rules about single endpoints carry comments; large clusters go without. */
  readonly endpointComments: boolean
  /** 'tree' where a rule for each of so many Services would slow down the first packet of every connection. */
  readonly dispatch?: 'flat' | 'tree'
  /** The node's own address in this family, for load balancer source ranges that contain it. */
  readonly nodeIP?: Address
  /** All its addresses in this family, for a mode that must name each. */
  readonly nodeAddresses?: readonly Address[]
  /** Which clients are masqueraded at a cluster IP, for a mode with one rule for all Services. */
  readonly masquerade?: ThisNode['masquerade']
  /** The ranges cluster IPs are taken from, for a mode that rejects connections to their unused addresses. */
  readonly serviceRanges?: readonly Cidr[]
  /** Parts of those ranges that exist as networks or hosts: the node's own addresses, and destinations of routes. */
  readonly reachable?: readonly Cidr[]
}

export type LocalPods =
  | { readonly by: 'cidr'; readonly cidr: Cidr }
  | { readonly by: 'interface'; readonly name: string }
  | { readonly by: 'interface-prefix'; readonly prefix: string }
