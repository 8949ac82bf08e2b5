import { PageFeed } from '#page/feed.ts'
import type { CallRecord } from '#page/views/calls.ts'
import type { CallSummary } from '../summary.ts'
import type { WorkDone } from '../work.ts'

// Calls that were worked on → the last of them, a short list whatever happens.

const KEPT = 100
/** Kubelet has STATUS asked every few seconds, and runtimes CHECK. */
const SHOWN: readonly string[] = ['ADD', 'DEL', 'GC']

export class CallHistory {
  readonly feed = new PageFeed()
  readonly #calls: CallRecord[] = []

  record(summary: CallSummary, { tookMs, waitedMs }: Pick<WorkDone, 'tookMs' | 'waitedMs'>, at: number): void {
    const { command, plugin, network, pod, container, ips = [], failure } = summary
    if (!SHOWN.includes(command) && failure === undefined) return
    this.#calls.push({
      ...{ at, command, plugin, ips, tookMs, waitedMs },
      ...(network !== undefined && { network }),
      ...(pod !== undefined && { pod }),
      ...(container !== undefined && { container }),
      ...(failure !== undefined && { failure: [failure.message, failure.details].filter(Boolean).join(': ') }),
    })
    if (this.#calls.length > KEPT) this.#calls.shift()
    this.feed.changed()
  }

  calls(): readonly CallRecord[] {
    return this.#calls.toReversed()
  }
}
