import * as words from '#dialects/iptables.ts'
import type { Command, Kernel, Outcome } from '#system/ports.ts'
import type { Family } from '#values/address.ts'

// A chain of iptables' nat table → what `iptables -S` prints of it, by the name that this node means by iptables.

export interface NatListing {
  readonly command: Command
  readonly outcome: Outcome
}

/** How iptables ends where another program holds the lock, among other things. */
const LOCKED = 4

/** The lock is waited for only where it is held: most often one look is enough. */
export async function natListing(kernel: Kernel, family: Family, chain: string): Promise<NatListing> {
  const [tools, at] = [words.plainlyNamed(family, 'nft'), ['nat', chain] as const]
  const command = words.listChain(tools, ...at)
  const outcome = await kernel.run(command)
  return { command, outcome: outcome.code === LOCKED ? await kernel.run(words.findChain(tools, ...at)) : outcome }
}
