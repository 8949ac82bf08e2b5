import type { CniPlugin, Delegates, PluginParts } from '#cni/plugins/plugin.ts'
import type { Kernel } from '#system/ports.ts'

// What a plugin works with on the node of a test.

/** Runs the programs of iptables-legacy under their plain names. */
export function withLegacy(kernel: Kernel): Kernel {
  return {
    run: command => {
      const [program, ...rest] = command.argv
      return kernel.run({ ...command, argv: [program.replace(/^(ip6?tables)/, '$1-legacy'), ...rest] })
    },
  }
}

export function delegatesTo(plugins: Readonly<Record<string, CniPlugin>>, parts: () => PluginParts): Delegates {
  return {
    add: (type, request) => plugins[type]!.add(request, parts()),
    del: (type, request) => plugins[type]!.del(request, parts()),
    check: (type, request) => plugins[type]!.check(request, parts()),
    status: (type, request) => plugins[type]!.status(request, parts()),
    gc: (type, request) => plugins[type]!.gc(request, parts()),
  }
}
