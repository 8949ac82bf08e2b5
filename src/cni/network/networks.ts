import { commandRefusal } from '#dialects/iproute/refusals.ts'
import { ENTER, insideNamespace } from '#dialects/iproute/words.ts'
import { netlinkNetworks } from '#system/network/netlink-networks.ts'
import type { Networks } from '#system/network/network.ts'
import { refusal, refusedNamespace } from '#system/network/refusal.ts'
import type { Kernel } from '#system/ports.ts'
import { CommandNetwork, namespacePath } from './command-network.ts'

// The networks of namespaces: over netlink, or by commands where this process has no FFI.

export function networksOf(kernel: Kernel): Networks {
  return netlinkNetworks() ?? commandNetworks(kernel)
}

export function commandNetworks(kernel: Kernel): Networks {
  return {
    async open(path) {
      const namespace = path === undefined ? undefined : namespacePath(path)
      const outcome = await kernel.run(insideNamespace(namespace, ENTER))
      if (outcome.code === 0) return new CommandNetwork(kernel, namespace)
      const refused = commandRefusal(outcome)
      if (path === undefined || refused.code === 'ENOSYS') throw refusal({ doing: 'see a network', ...refused })
      throw refusedNamespace(path, refused.code)
    },
  }
}
