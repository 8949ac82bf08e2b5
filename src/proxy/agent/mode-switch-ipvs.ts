import type { Settings } from '#config/settings.ts'
import { FIND_IPVS_DEVICE } from '#dialects/ip.ts'
import { named, saveAll, type Tools } from '#dialects/iptables.ts'
import { ipvs } from '#proxy/modes/ipvs/index.ts'
import { ourUnits } from '#proxy/modes/ipvs/read.ts'
import { removeIpvsLeftovers } from '#proxy/modes/leftovers-ipvs.ts'
import { NOTHING, type RemovalResult } from '#proxy/modes/leftovers-removal.ts'
import type { Mode } from '#proxy/modes/mode.ts'
import { leavesIpvs, modeBesideIpvs } from '#proxy/modes/others.ts'
import { EMPTY } from '#proxy/plan/diff.ts'
import { must } from '#system/must.ts'
import type { Clock, Kernel } from '#system/ports.ts'
import type { Family } from '#values/address.ts'

// A node that was in ipvs mode, and whose new rules stand → the same node without its virtual servers, sets and
// addresses. New connections meet the new rules before the virtual servers, so none is lost.

export interface LeaveIpvsOptions {
  readonly mode: Settings['mode']
  readonly kernel: Kernel
  readonly clock: Clock
  /** The families we serve, each with the iptables we write to, where we do. */
  readonly families: ReadonlyMap<Family, Tools | undefined>
}

/** Rules refer to sets, so they are deleted first. Without the device of ipvs mode, ipvs mode has never run here. */
export async function leaveIpvs({ mode, kernel, clock, families }: LeaveIpvsOptions): Promise<RemovalResult> {
  if (!leavesIpvs(mode)) return NOTHING
  const device = await kernel.run(FIND_IPVS_DEVICE)
  if (device.code !== 0) return NOTHING
  await Promise.all([...families].map(([family, ours]) => removeAllRules({ mode, kernel, family, ours })))
  return removeIpvsLeftovers({ kernel, clock })
}

interface FamilyOptions extends Pick<LeaveIpvsOptions, 'mode' | 'kernel'> {
  readonly family: Family
  readonly ours: Tools | undefined
}

async function removeAllRules({ mode, kernel, family, ours }: FamilyOptions): Promise<void> {
  for (const variant of ['nft', 'legacy'] as const) {
    const tools = named(family, variant)
    const { code, stdout } = await kernel.run(saveAll(tools))
    const own = ours?.variant === variant ? modeBesideIpvs(mode, ours) : undefined
    if (code === 0) await removeRules({ kernel, tools, save: stdout, own })
  }
}

interface RemovalOptions {
  readonly kernel: Kernel
  readonly tools: Tools
  /** The listing of its rules. */
  readonly save: string
  /** The mode that now has rules there, too: several of its chains have the same names as those of ipvs mode. */
  readonly own: Mode | undefined
}

async function removeRules({ kernel, tools, save, own }: RemovalOptions): Promise<void> {
  const left = ourUnits({ rules: save, ...NO_OTHERS }, tools.family, [])
  if (left.size === 0) return
  const kept = (await own?.read(kernel)) ?? EMPTY
  const remove = new Set([...left.keys()].filter(unit => !kept.has(unit)))
  const { write } = ipvs({ tools, scheduler: 'rr', excludeCIDRs: [] })
  for (const command of write({ add: EMPTY, change: EMPTY, before: EMPTY, remove })) await must(kernel, command)
}

const NO_OTHERS = { sets: '', servers: '', addresses: '[]' }
