import { askVersion, named, type Tools } from '#dialects/iptables.ts'
import { NFT_VERSION } from '#dialects/nft.ts'
import type { Kernel } from '#system/ports.ts'
import type { Family } from '#values/address.ts'
import { IPTABLES, iptables } from './iptables/index.ts'
import { IPVS } from './ipvs/index.ts'
import type { Mode } from './mode.ts'
import type { ChosenMode } from './modes.ts'
import { NFTABLES, nftables } from './nftables/index.ts'
import { USERSPACE, userspace } from './userspace/index.ts'
import { isLeftBehind } from './userspace/left-behind.ts'

// A node in one mode → the modes that may have left rules there.

/** The modes other than ours, in the same family. */
export async function othersHere(mode: ChosenMode, ours: Tools | Family, kernel: Kernel): Promise<readonly Mode[]> {
  const family = typeof ours === 'string' ? ours : ours.family
  const others: Mode[] = []
  for (const variant of ['nft', 'legacy'] as const) {
    const tools = named(family, variant)
    if ((await kernel.run(askVersion(tools, 'save'))).code !== 0) continue
    const isOurs = typeof ours !== 'string' && ours.variant === variant
    // Chains of ipvs mode have the names of iptables mode's: ipvs mode reads and replaces those as its own.
    if (mode !== IPVS.name && !(mode === IPTABLES.name && isOurs)) others.push(iptables(tools))
    if (!(mode === USERSPACE.name && isOurs) && (await isLeftBehind(kernel, tools))) others.push(userspace({ tools }))
  }
  if (mode !== NFTABLES.name && (await kernel.run(NFT_VERSION)).code === 0) {
    others.push(nftables({ family, chainRemoval: 'at-once' }))
  }
  return others
}

/** True where virtual servers, sets and their device are of another mode than ours. */
export function leavesIpvs(mode: ChosenMode): boolean {
  return mode !== IPVS.name
}

/** Of modes whose chains may have the names of those that ipvs mode has: ours, with these tools. */
export function modeBesideIpvs(mode: ChosenMode, tools: Tools): Mode | undefined {
  if (mode === IPTABLES.name) return iptables(tools)
  return mode === USERSPACE.name ? userspace({ tools }) : undefined
}
