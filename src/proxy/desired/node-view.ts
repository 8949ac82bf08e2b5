import type { Address, Family } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'
import type { ThisNode } from './this-node.ts'

// What a mode must know of the node it writes for, in one family: every setting and every fact of the host that shapes
// rules.

/** What the rules of a mode depend on. What it does not need is left out: a change of it would have all rules drawn anew. */
export interface Needs {
  /** Every address of the node: rules name each. */
  readonly addresses?: true
  /** The ranges that cluster IPs are taken from, and what of them is real. */
  readonly serviceRanges?: true
  /** Answers at node ports on 127.0.0.1 where settings ask for it. */
  readonly localhost?: true
  /** Drops packets in conntrack state INVALID, unless the host lets odd ones pass. */
  readonly invalid?: true
  /** Writes a comment on each endpoint, in a cluster that is not large. */
  readonly comments?: true
  /** A relay in this process answers clients. */
  readonly relay?: true
}

export interface NodeView {
  readonly family: Family
  /** The mark of packets to be masqueraded: 1 << masqueradeBit. */
  readonly mark: number
  /** How a packet of one of this node's pods is recognised; absent where nothing was configured. */
  readonly localPods?: LocalPods
  /** Node ports answer on every address of the node, or only on these. */
  readonly nodePortAddresses: 'all' | readonly Address[]
  /** 'tree' where a rule for each of so many Services would slow down the first packet of every connection. */
  readonly dispatch?: 'flat' | 'tree'
  /** The node's own address in this family. */
  readonly nodeIP?: Address
  /** Which clients are masqueraded at a cluster IP. */
  readonly masquerade: ThisNode['masquerade']

  // What only some modes need, and have asked for.

  /** Whether node ports answer on 127.0.0.1. */
  readonly localhostNodePorts?: boolean
  /** Whether packets in conntrack state INVALID are dropped; false where nf_conntrack_tcp_be_liberal is set. */
  readonly dropInvalid?: boolean
  /** Whether rules about single endpoints carry comments; large clusters go without. */
  readonly endpointComments?: boolean
  /** All the node's addresses in this family. */
  readonly nodeAddresses?: readonly Address[]
  /** The ranges cluster IPs are taken from. */
  readonly serviceRanges?: readonly Cidr[]
  /** Parts of those ranges that exist as networks or hosts: the node's own addresses, and destinations of routes. */
  readonly reachable?: readonly Cidr[]
}

export type LocalPods =
  | { readonly by: 'cidr'; readonly cidr: Cidr }
  | { readonly by: 'interface'; readonly name: string }
  | { readonly by: 'interface-prefix'; readonly prefix: string }
