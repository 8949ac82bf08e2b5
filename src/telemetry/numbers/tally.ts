import type { Purpose } from '#system/ports.ts'
import type { Family } from '#values/address.ts'

// Commands as they are run → what each lane's next report does not say by itself.

/** A command that was run. */
export interface RanCommand {
  /** Without its folder: `iptables-restore`. */
  readonly program: string
  /** Set where the command concerns one family alone: it counts towards the next report of that family's lane. */
  readonly family?: Family
  readonly does: Purpose
  readonly tookMs: number
  readonly code: number
  /** iptables rules in its document, by table. */
  readonly rules: Readonly<Record<string, number>>
}

/** What the commands of one sync came to. */
export interface Tally {
  /** The kernel was read. */
  readonly looked: boolean
  readonly restoreFailed: boolean
  readonly rules: Readonly<Record<string, number>>
}

export const NO_RULES: Readonly<Record<string, number>> = { filter: 0, nat: 0 }
const NOTHING: Tally = { looked: false, restoreFailed: false, rules: NO_RULES }

export class Tallies {
  readonly #tallies = new Map<Family, Tally>()

  ran({ family, does, code, rules }: RanCommand): void {
    if (family === undefined) return
    const { looked, restoreFailed, rules: before } = this.#tallies.get(family) ?? NOTHING
    const tables = Object.keys(NO_RULES)
    this.#tallies.set(family, {
      looked: looked || does === 'look',
      restoreFailed: restoreFailed || (does === 'restore' && code !== 0),
      rules: Object.fromEntries(tables.map(table => [table, before[table]! + (rules[table] ?? 0)])),
    })
  }

  /** What was run for this lane since the last time this was asked. */
  take(family: Family): Tally {
    const tally = this.#tallies.get(family) ?? NOTHING
    this.#tallies.delete(family)
    return tally
  }
}
