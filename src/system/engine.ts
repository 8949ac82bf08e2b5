import { PerformanceObserver } from 'node:perf_hooks'

// This process → what Node says of its heap, its event loop and its garbage collections.

export interface EngineState {
  readonly heap: { readonly totalBytes: number; readonly usedBytes: number; readonly externalBytes: number }
  /** What keeps the event loop alive, such as sockets and timers: how many of each type. */
  readonly resources: ReadonlyMap<string, number>
  /** Between 0 and 1: the part of the time, since the last look, in which the event loop had work. */
  readonly loopUtilization: number
}

export type Collection = 'minor' | 'major' | 'incremental' | 'weakcb'

const KINDS: Readonly<Record<number, Collection>> = { 1: 'minor', 4: 'major', 8: 'incremental', 16: 'weakcb' }

export class Engine {
  #last = performance.eventLoopUtilization()

  look(): EngineState {
    const { heapTotal, heapUsed, external } = process.memoryUsage()
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, this.#last)
    this.#last = now
    const resources = new Map<string, number>()
    for (const type of process.getActiveResourcesInfo()) resources.set(type, (resources.get(type) ?? 0) + 1)
    return {
      heap: { totalBytes: heapTotal, usedBytes: heapUsed, externalBytes: external },
      resources,
      loopUtilization: utilization,
    }
  }

  /** Calls back once the event loop has come round, with how long that took. */
  lag(measured: (ms: number) => void): void {
    const asked = performance.now()
    setImmediate(() => measured(performance.now() - asked))
  }

  /** Calls back after each collection of garbage. It does not keep the process alive. */
  collections(collected: (kind: Collection, tookMs: number) => void): void {
    const observer = new PerformanceObserver(list => {
      for (const entry of list.getEntries()) {
        const kind = KINDS[(entry as GarbageEntry).detail.kind]
        if (kind !== undefined) collected(kind, entry.duration)
      }
    })
    observer.observe({ entryTypes: ['gc'] })
  }
}

interface GarbageEntry extends PerformanceEntry {
  readonly detail: { readonly kind: number }
}
