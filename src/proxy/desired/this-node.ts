import type { Family } from '#values/address.ts'

// Where this node stands when it looks at the cluster: what policy depends on besides the objects themselves.

export interface ThisNode {
  readonly family: Family
  readonly nodeName: string
  readonly zone?: string
  /** Who is masqueraded at a cluster IP; 'never' where nothing says which packets come from local pods. */
  readonly masquerade: 'all' | 'from-outside' | 'never'
}
