import type { Settings } from '../config/settings.ts'
import type { Tools } from '../dialects/iptables.ts'
import { chooseTools, NoIptables } from '../modes/iptables/choose.ts'
import { iptables } from '../modes/iptables/index.ts'
import type { Mode } from '../modes/mode.ts'
import { chooseNft, NoNftables, SKIP_KERNEL_CHECK } from '../modes/nftables/choose.ts'
import { nftables } from '../modes/nftables/index.ts'
import { environment } from '../system/host.ts'
import type { Kernel } from '../system/ports.ts'
import type { Family } from '../values/address.ts'

// The chosen mode → the Mode itself, fitted to the tools this host has.

export interface Fitted {
  readonly mode: Mode
  /** A sentence for the log at V(1). */
  readonly why: string
}

/** Throws where the host lacks what the mode needs. */
export async function fitMode({ mode }: Settings, family: Family, kernel: Kernel): Promise<Fitted> {
  switch (mode) {
    case 'iptables': {
      const { tools, why } = await chooseTools(kernel, family)
      return { mode: iptables(tools), why: `Using ${tools.restore} (${tools.variant}): ${why}` }
    }
    case 'nftables': {
      const kernelCheck = environment()[SKIP_KERNEL_CHECK] ? 'skip' : 'enforce'
      const { manner, why } = await chooseNft(kernel, { family, kernelCheck })
      return { mode: nftables(manner), why: `Using ${why}` }
    }
    default:
      throw new ModeNotBuilt(mode)
  }
}

/** Whether the host cannot carry the mode in one family, while it may in the other. */
export function isMissingFamily(error: unknown): error is Error {
  return error instanceof NoIptables || error instanceof NoNftables
}

/** The mode as it would be on a host that has everything: for verbs that only print. */
export function paperMode({ mode }: Settings, family: Family): Mode {
  switch (mode) {
    case 'iptables':
      return iptables(PLAIN_TOOLS[family])
    case 'nftables':
      return nftables({ family, chainRemoval: 'at-once' })
    default:
      throw new ModeNotBuilt(mode)
  }
}

export class ModeNotBuilt extends Error {
  constructor(mode: string) {
    super(`--proxy-mode=${mode} is not in this version: use iptables or nftables`)
    this.name = 'ModeNotBuilt'
  }
}

const PLAIN_TOOLS: Record<Family, Tools> = {
  ipv4: { family: 'ipv4', variant: 'nft', restore: 'iptables-restore', save: 'iptables-save' },
  ipv6: { family: 'ipv6', variant: 'nft', restore: 'ip6tables-restore', save: 'ip6tables-save' },
}
