import { libc } from '#system/netlink/libc.ts'
import { Conversation } from './conversation.ts'
import { hold } from './hold.ts'
import { NetlinkNetwork } from './netlink-network.ts'
import type { Networks } from './network.ts'

// The path of a network namespace → its links, addresses and routes over netlink.

/** Undefined where this process has no FFI: then the commands of iproute2 do. */
export function netlinkNetworks(): Networks | undefined {
  if (libc() === undefined) return undefined
  return {
    async open(path) {
      const namespace = path === undefined ? undefined : hold(path)
      try {
        return new NetlinkNetwork({ namespace, conversation: Conversation.open(namespace), hold })
      } catch (error) {
        namespace?.close()
        throw error
      }
    },
  }
}
