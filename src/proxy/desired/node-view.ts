import type { Address, Family } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'
import type { ThisNode } from './this-node.ts'

// What a mode must know of the node it writes for, in one family. All settings and discoveries that shape rules end here.

export interface NodeView {
  readonly family: Family
  /** The mark of packets to be masqueraded: 1 << masqueradeBit. */
  readonly mark: number
  /** How a packet of one of this node's pods is recognised; absent where nothing was configured. */
  readonly localPods?: LocalPods
  /** Node ports are answered on every address of the node, or only on these. */
  readonly nodePortAddresses: 'all' | readonly Address[]
  /** Whether node ports answer on 127.0.0.1. */
  readonly localhostNodePorts: boolean
  /** Whether packets that connection tracking calls INVALID are dropped (not where it is told to be liberal). */
  readonly dropInvalid: boolean
  /** Whether rules about single endpoints carry comments; large clusters go without. */
  readonly endpointComments: boolean
  /** 'tree' where there are so many Services that looking through all of them for each new connection takes its time. */
  readonly dispatch?: 'flat' | 'tree'
  /** The node's own address in this family, for load balancer source ranges that contain it. */
  readonly nodeIP?: Address
  /** All its addresses in this family, for a mode that must name each. */
  readonly nodeAddresses?: readonly Address[]
  /** Who is masqueraded at a cluster IP, for a mode that says it once for all Services. */
  readonly masquerade?: ThisNode['masquerade']
  /** The ranges cluster IPs are taken from, for a mode that says what becomes of those that are not. */
  readonly serviceRanges?: readonly Cidr[]
  /** What lies in those ranges and is really there: the node's own addresses, and where routes lead. */
  readonly reachable?: readonly Cidr[]
}

export type LocalPods =
  | { readonly by: 'cidr'; readonly cidr: Cidr }
  | { readonly by: 'interface'; readonly name: string }
  | { readonly by: 'interface-prefix'; readonly prefix: string }
