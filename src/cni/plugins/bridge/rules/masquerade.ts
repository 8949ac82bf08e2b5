import type { Holder } from '#ipam/leases/lease-book.ts'
import type { AddressWithPrefix } from '#system/network/network.ts'
import type { PluginParts } from '../../plugin.ts'

// A pod's addresses → rules by which what it sends out of its own range leaves with the node's address. Rules are the only
// state: their comments say whose they are.

export interface Masquerade {
  /** All or none. */
  add(holder: Holder, addresses: readonly AddressWithPrefix[]): Promise<void>
  /** Ours and the reference plugin's, of addresses that are known or not. False where there were none, or can be none. */
  remove(holder: Holder, addresses: readonly AddressWithPrefix[]): Promise<boolean>
  /** Which of the addresses are not masqueraded. */
  missing(holder: Holder, addresses: readonly AddressWithPrefix[]): Promise<readonly AddressWithPrefix[]>
  /** Removes those of every other interface in the network. */
  keepOnly(network: string, holders: readonly Holder[]): Promise<void>
}

export type MasqueradeParts = Pick<PluginParts, 'kernel' | 'hasChain' | 'elements' | 'jumps' | 'change'>
