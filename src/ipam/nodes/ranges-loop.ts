import type { Clock } from '#system/ports.ts'
import type { RangesController, RangesReport } from './ranges-controller.ts'

// Changes of Nodes → rounds of the controller: one for many changes that come together, and one now and then without any, for
// what is to be tried again and for blocks that come back.

export interface RangesLoopParts {
  readonly controller: Pick<RangesController, 'round'>
  readonly clock: Clock
  /** From 0 up to 1. */
  readonly random: () => number
  readonly onReport: (report: RangesReport) => void
  /** `againMs`: after this time it is tried again. */
  readonly onFailure: (error: unknown, againMs: number) => void
  readonly limits?: Partial<RangesLoopLimits>
}

export interface RangesLoopLimits {
  /** After the first change, for the others: a hundred nodes that join are one write of the record, not a hundred. */
  readonly gatherMs: number
  readonly everyMs: number
  /** After a failure; twice as long after each further one, up to `everyMs`. */
  readonly retryMs: number
}

export const RANGES_LOOP_LIMITS: RangesLoopLimits = { gatherMs: 200, everyMs: 30_000, retryMs: 1000 }

export class RangesLoop {
  readonly #parts: RangesLoopParts
  readonly #limits: RangesLoopLimits
  #change = new AbortController()

  constructor(parts: RangesLoopParts) {
    this.#parts = parts
    this.#limits = { ...RANGES_LOOP_LIMITS, ...parts.limits }
  }

  /** A Node came, changed or went. */
  changed(): void {
    this.#change.abort()
  }

  /** Resolves when the signal has aborted and the round that was under way is done. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#parts
    const { gatherMs, everyMs, retryMs } = this.#limits
    for (let failures = 0; !signal.aborted; ) {
      // What changes from here on is perhaps not in the list that this round reads.
      this.#change = new AbortController()
      const againMs = Math.min(everyMs, retryMs * 2 ** failures) * (0.5 + random() / 2)
      const result = await this.#round(againMs)
      failures = result === 'done' ? 0 : failures + 1
      // A failure is waited for also where Nodes change: an API server that is overloaded gets no more requests for it.
      if (result === 'failed') await clock.sleep(againMs, signal)
      else {
        const nextMs = result === 'done' ? everyMs : againMs
        await clock.sleep(nextMs, AbortSignal.any([this.#change.signal, signal]))
        if (this.#change.signal.aborted) await clock.sleep(gatherMs, signal)
      }
    }
  }

  /** `partly`: some Nodes were not written; one that was refused may have been changed in the same moment. */
  async #round(againMs: number): Promise<'done' | 'partly' | 'failed'> {
    const { controller, onReport, onFailure } = this.#parts
    try {
      const report = await controller.round()
      onReport(report)
      return report.failed.length + report.refused.length === 0 ? 'done' : 'partly'
    } catch (error) {
      onFailure(error, againMs)
      return 'failed'
    }
  }
}
