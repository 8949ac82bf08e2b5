import { hasLegacyTable, iptablesAnswer } from '#system/answers/iptables.ts'
import { isInstalled } from '#system/answers/ruleset.ts'
import { RulesetReader } from '#system/netlink/ruleset-reader.ts'
import { RulesetWriter } from '#system/netlink/ruleset-writer.ts'
import { type Kernel, NOT_FOUND } from '#system/ports.ts'
import type { PluginParts } from '../plugins/plugin.ts'

// The nftables ruleset of this node as plugins may ask and change it without a process.

export type RulesetParts = Pick<PluginParts, 'hasChain' | 'elements' | 'jumps' | 'change'>

export interface NodeRuleset {
  /** Nothing where the kernel cannot be asked: then programs are run. */
  readonly parts: RulesetParts
  /** Grows with each change. Undefined where rules are not all there: with iptables-legacy, or where the kernel cannot be asked. */
  generation(): number | undefined
  close(): void
}

const NFT_FAMILY = { ipv4: 'ip', ipv6: 'ip6' } as const

/**
 * Both sockets stay open: at the end of any that is of netfilter, the kernel keeps the one that closes it until the memory of
 * what was deleted before is free, ten milliseconds and more.
 */
export function nodeRuleset(): NodeRuleset {
  let reader: RulesetReader | undefined
  let writer: RulesetWriter | undefined
  const asked = <T>(question: (reader: RulesetReader) => T): T | undefined => {
    try {
      reader ??= RulesetReader.open()
      return reader && question(reader)
    } catch {
      return undefined
    }
  }
  const close = (): void => {
    reader?.close()
    writer?.close()
    reader = undefined
    writer = undefined
  }
  if (asked(one => one.generation()) === undefined) return { parts: {}, generation: () => undefined, close }
  const parts: RulesetParts = {
    /** A chain that cannot be asked for may be there: then a program is run, which knows. */
    hasChain({ family, ...at }) {
      const ip = NFT_FAMILY[family]
      return hasLegacyTable(ip, at.table) || (asked(one => one.hasChain({ family: ip, ...at })) ?? true)
    },
    elements: ({ family, ...at }) => asked(one => one.elements({ family: NFT_FAMILY[family], ...at })),
    jumps: ({ family, ...at }) => asked(one => one.jumps({ family: NFT_FAMILY[family], ...at })),
    change(changes) {
      writer ??= RulesetWriter.open()
      return writer?.change(changes) ?? false
    },
  }
  const generation = (): number | undefined =>
    hasLegacyTable('ip', 'nat') || hasLegacyTable('ip6', 'nat') ? undefined : asked(one => one.generation())
  return { parts, generation, close }
}

/** What is asked of either variant of iptables, by a program only where it takes one. */
export function askingIptables(kernel: Kernel): Kernel {
  return {
    run: async command => {
      const [program, ...words] = command.argv
      if (!isInstalled(program)) return { code: NOT_FOUND, stdout: '', stderr: `${program}: not found` }
      return iptablesAnswer(program, words) ?? kernel.run(command)
    },
  }
}
