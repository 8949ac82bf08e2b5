import type { LeakNumbers } from '#telemetry/numbers/leaks.ts'
import type { RoundAttachment } from '../../leaks/round.ts'

// The attachments of a round, one after another → how many are suspect, leaked and freed. None is kept.

export class LeakCounts {
  #suspects = 0
  #leaked = 0
  readonly #found = new Map<string, number>()
  readonly #freed = new Map<string, number>()

  judged({ holder, verdict, before }: RoundAttachment): void {
    if (verdict.is === 'suspect') this.#suspects++
    if (verdict.is !== 'leaked') return
    this.#leaked++
    if (before !== 'leaked') addOne(this.#found, holder.network)
  }

  freed({ holder }: RoundAttachment): void {
    this.#leaked--
    addOne(this.#freed, holder.network)
  }

  numbers(): Pick<LeakNumbers, 'suspects' | 'leaked' | 'found' | 'freed'> {
    return { suspects: this.#suspects, leaked: this.#leaked, found: this.#found, freed: this.#freed }
  }
}

function addOne(counts: Map<string, number>, network: string): void {
  counts.set(network, (counts.get(network) ?? 0) + 1)
}
