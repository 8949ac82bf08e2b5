import type { Settings } from '../config/settings.ts'
import { named, type Tools } from '../dialects/iptables.ts'
import { iptables } from '../modes/iptables/index.ts'
import type { Mode } from '../modes/mode.ts'
import { nftables } from '../modes/nftables/index.ts'
import { userspace } from '../modes/userspace/index.ts'
import { isLeftBehind } from '../modes/userspace/left-behind.ts'
import { diff, EMPTY } from '../plan/diff.ts'
import { must } from '../system/must.ts'
import type { Kernel } from '../system/ports.ts'
import type { Log } from '../telemetry/klog.ts'
import { FAMILY_LABEL, type Family } from '../values/address.ts'

// Once our rules stand: what another mode has left goes. In this order there is no moment without rules, so a node changes
// its mode under traffic.

export interface Takeover {
  readonly mode: Settings['mode']
  readonly kernel: Kernel
  readonly log: Log
  /** The families we serve, each with the iptables we write to, where we do. */
  readonly families: ReadonlyMap<Family, Tools | undefined>
}

/** What cannot be taken away is told and left: our own rules stand, and theirs come first or last as before. */
export async function takeOver({ mode, kernel, log, families }: Takeover): Promise<void> {
  for (const [family, ours] of families) {
    for (const other of await othersHere(mode, ours ?? family, kernel)) {
      try {
        const left = await other.read(kernel)
        for (const command of other.write(diff(left, EMPTY))) await must(kernel, command)
        if (left.size > 0) tell(log, other, family)
      } catch (error) {
        log.at('takeover.ts:1').error('Could not remove the rules of another mode', error, about(other, family))
      }
    }
  }
}

function tell(log: Log, other: Mode, family: Family): void {
  log.at('takeover.ts:1').info(0, 'Removed the rules of another mode', about(other, family))
}

function about({ name }: Mode, family: Family): Record<string, string> {
  return { mode: name, ipFamily: FAMILY_LABEL[family] }
}

/** Every mode that may have left something here, in the same family, and is not ours. */
async function othersHere(mode: Settings['mode'], ours: Tools | Family, kernel: Kernel): Promise<readonly Mode[]> {
  const family = typeof ours === 'string' ? ours : ours.family
  const others: Mode[] = []
  for (const variant of ['nft', 'legacy'] as const) {
    const tools = named(family, variant)
    if ((await kernel.run({ argv: [tools.save, '--version'] })).code !== 0) continue
    const isOurs = typeof ours !== 'string' && ours.variant === variant
    // The chains of ipvs mode have the names of iptables mode's; it reads and replaces them as its own.
    if (mode !== 'ipvs' && !(mode === 'iptables' && isOurs)) others.push(iptables(tools))
    if (!(mode === 'userspace' && isOurs) && (await isLeftBehind(kernel, tools))) others.push(userspace({ tools }))
  }
  if (mode !== 'nftables' && (await kernel.run({ argv: ['nft', '--version'] })).code === 0) {
    others.push(nftables({ family, chainRemoval: 'at-once' }))
  }
  return others
}
