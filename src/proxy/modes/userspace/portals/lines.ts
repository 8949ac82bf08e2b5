import { rule, type Word } from '#dialects/words.ts'
import type { Entry } from '#proxy/modes/mode.ts'
import { chainUnit, type Table } from '#proxy/modes/userspace/names.ts'

// Lines as they are thought of, chain by chain → one entry for each chain that all services share.

export class Lines {
  readonly #lines = new Map<string, string[]>()

  /** A line that is there already is not said twice. */
  add(table: Table, chain: string, ...rest: readonly Word[]): void {
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
