import type { Address, Family } from '#values/address.ts'

// What policy depends on besides Services and endpoints: the node it is decided for, in one family.

export interface ThisNode {
  readonly family: Family
  readonly nodeName: string
  readonly zone?: string
  /** Its own address in this family: source ranges may contain it. */
  readonly nodeIP?: Address
  /** Which clients are masqueraded at a cluster IP; 'never' where no setting says which packets are of local pods. */
  readonly masquerade: 'all' | 'from-outside' | 'never'
}
