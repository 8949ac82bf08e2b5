import type { Address } from '#values/address.ts'

// The connections that the kernel tracks, as a port: over netlink, or by the `conntrack` command where that is refused.

export interface ConnectionTable {
  /**
   * Forgets every connection that one of these addresses began or answers, whatever Services and masquerading made of it: who
   * gets the address next would be hurt by packets of the last. It takes some 10 ms for each, on another thread.
   */
  forget(addresses: readonly Address[]): Promise<void>
}
