import { forgetFlowsOf } from '#dialects/conntrack.ts'
import { must } from '#system/must.ts'
import type { ConnectionTable } from '#system/network/connections.ts'
import { netlinkConnections } from '#system/network/netlink-connections.ts'
import type { Kernel } from '#system/ports.ts'
import { type Address, FAMILIES, familyOf } from '#values/address.ts'

// The connections the kernel tracks: over netlink, or by `conntrack` where this process has no FFI.

export function connectionsOf(kernel: Kernel): ConnectionTable {
  return netlinkConnections() ?? commandConnections(kernel)
}

/** Forgets without keeping a caller waiting; a process that ends waits for `idle`. */
export interface Forgetting {
  forget(addresses: readonly Address[]): void
  idle(): Promise<void>
}

/** What fails is reported: the addresses are free all the same. */
export function forgetting(table: ConnectionTable, failed: (error: Error) => void): Forgetting {
  const running = new Set<Promise<void>>()
  return {
    forget(addresses) {
      const one: Promise<void> = table
        .forget(addresses)
        .catch(failed)
        .finally(() => running.delete(one))
      running.add(one)
    },
    async idle() {
      while (running.size > 0) await Promise.all(running)
    },
  }
}

export function commandConnections(kernel: Kernel): ConnectionTable {
  return {
    async forget(addresses) {
      for (const family of FAMILIES) {
        const own = addresses.filter(address => familyOf(address) === family)
        if (own.length > 0) await must(kernel, forgetFlowsOf(own, family))
      }
    },
  }
}
