import { type RuleWord, rule } from '#dialects/words.ts'
import type { Entry, Unit } from '#proxy/modes/mode.ts'
import { chainUnit, type Table } from './units.ts'

// Lines in the order they are added → one entry for each chain that Services share.

export class ChainLines {
  readonly #lines = new Map<Unit, string[]>()

  /** A line that the chain already has is not added again. */
  add(table: Table, chain: string, ...rest: readonly RuleWord[]): void {
    const unit = chainUnit(table, chain)
    const line = rule('-A', chain, ...rest)
    const known = this.#lines.get(unit)
    if (known === undefined) this.#lines.set(unit, [line])
    else if (!known.includes(line)) known.push(line)
  }

  get entries(): readonly Entry[] {
    return [...this.#lines].map(([unit, lines]) => ({ unit, text: lines.join('\n'), shared: true }))
  }
}
