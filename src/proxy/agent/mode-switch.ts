import type { Settings } from '#config/settings.ts'
import type { Tools } from '#dialects/iptables.ts'
import type { Mode, Unit } from '#proxy/modes/mode.ts'
import { othersHere } from '#proxy/modes/others.ts'
import { textOf } from '#proxy/modes/unit.ts'
import { diff, EMPTY, emptied } from '#proxy/plan/diff.ts'
import { must } from '#system/must.ts'
import type { Clock, Kernel } from '#system/ports.ts'
import type { Log } from '#telemetry/log/klog.ts'
import { logBlocked } from '#telemetry/log/report.ts'
import { FAMILY_LABEL, type Family } from '#values/address.ts'
import { leaveIpvs } from './mode-switch-ipvs.ts'

// A node whose rules stand → the same node without the rules of another mode. In this order there is no moment without
// rules, so a node changes its mode under traffic.

export interface ModeSwitchParts {
  readonly mode: Settings['mode']
  readonly kernel: Kernel
  readonly clock: Clock
  readonly log: Log
  /** The families we serve, each with the iptables we write to, where we do. */
  readonly families: ReadonlyMap<Family, Tools | undefined>
}

/** What cannot be deleted is logged and left: our own rules stand, and those of the other mode keep their positions. */
export class ModeSwitch {
  readonly #parts: ModeSwitchParts
  #isOver = false
  /** Units that foreign rules jumped to at the last run: each is logged once. */
  #blocked: ReadonlySet<string> = new Set()

  constructor(parts: ModeSwitchParts) {
    this.#parts = parts
  }

  /** Deletes what is left; does nothing once a run has left nothing. 'failed' where a command failed: another run may help. */
  async run(): Promise<'ended' | 'failed'> {
    if (this.#isOver) return 'ended'
    const { mode, kernel, families } = this.#parts
    const blocked = new Set<string>()
    let failures = 0
    for (const [family, ours] of families) {
      for (const other of await othersHere(mode, ours ?? family, kernel)) {
        try {
          for (const unit of await this.#remove(other, family)) blocked.add(unit)
        } catch (error) {
          failures++
          this.#parts.log.error('Could not remove the rules of another mode', error, about(other, family))
        }
      }
    }
    this.#blocked = blocked
    const ipvs = await this.#leaveIpvs()
    this.#isOver = ipvs === 'done' && blocked.size + failures === 0
    return ipvs === 'failed' || failures > 0 ? 'failed' : 'ended'
  }

  /** A command that failed, as where another program held the lock, is tried again: it may be long until the kernel is read. */
  async runOften(everyMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && (await this.run()) === 'failed') await this.#parts.clock.sleep(everyMs, signal)
  }

  async #leaveIpvs(): Promise<'done' | 'not yet' | 'failed'> {
    try {
      const { removed, remains } = await leaveIpvs(this.#parts)
      if (removed.length > 0) this.#parts.log.info(0, 'Removed what another mode had left', { mode: 'ipvs', removed })
      if (remains.length > 0)
        this.#parts.log.warning('Could not remove all that another mode had left', { mode: 'ipvs', remains })
      return remains.length === 0 ? 'done' : 'not yet'
    } catch (error) {
      this.#parts.log.error('Could not remove the rules of another mode', error, { mode: 'ipvs' })
      return 'failed'
    }
  }

  /** Returns the units that foreign rules jump to. They are emptied, so that all others can be deleted. */
  async #remove(other: Mode, family: Family): Promise<readonly string[]> {
    const { kernel } = this.#parts
    const found = await other.read(kernel)
    const gone = diff(found, EMPTY)
    const foreignRules = found.size === 0 ? undefined : await other.foreignRules?.(kernel)
    const blocked = [...(foreignRules ?? [])].filter(([unit]) => gone.remove.has(unit))
    const plan = emptied(gone, new Map(blocked).keys(), found)
    for (const command of other.write(plan)) await must(kernel, command)
    if (plan.remove.size > 0) this.#parts.log.info(0, 'Removed the rules of another mode', about(other, family))
    const key = ([unit]: readonly [Unit, string]): string => `${other.name} ${family} ${textOf(unit)}`
    const newlyBlocked = blocked
      .filter(one => !this.#blocked.has(key(one)))
      .map(([unit, by]) => ({ unit: textOf(unit), by }))
    logBlocked(this.#parts.log, newlyBlocked, about(other, family))
    return blocked.map(key)
  }
}

function about({ name }: Mode, family: Family): Record<string, string> {
  return { mode: name, ipFamily: FAMILY_LABEL[family] }
}
