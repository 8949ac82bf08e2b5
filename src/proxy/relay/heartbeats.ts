import type { Clock } from '#system/ports.ts'

// Pulses that worker threads leave in shared memory → the worker whose pulse has stopped: its thread runs, and does nothing.

export interface HeartbeatsParts {
  /** One number a worker, which the worker changes with each pulse. */
  readonly pulses: Int32Array<SharedArrayBuffer>
  readonly clock: Pick<Clock, 'sleep'>
  readonly rhythm: Rhythm
  readonly stopped: (index: number) => void
}

export interface Rhythm {
  /** Between two pulses of a worker, and between two looks at them. */
  readonly everyMs: number
  /** This many looks at the same pulse, one after another, show a worker that hangs. */
  readonly missed: number
}

/** Ten seconds are longer than any work of a worker, and shorter than the patience of most clients. */
export const RHYTHM: Rhythm = { everyMs: 1000, missed: 10 }

/** As many times as long a worker that starts may take to its first pulse: on a busy machine its program loads slowly. */
const STARTING = 10

/**
 * Looks are counted, and not the time between them: after a pause of the whole process, such as that of a suspended machine,
 * there is one look at pulses that could not beat.
 */
export class Heartbeats {
  readonly #parts: HeartbeatsParts
  readonly #end = new AbortController()
  readonly #watched = new Map<number, { pulse: number; looks: number }>()

  constructor(parts: HeartbeatsParts) {
    this.#parts = parts
    void this.#run()
  }

  /** Watches a worker that has just been started. */
  watch(index: number): void {
    const { missed } = this.#parts.rhythm
    this.#watched.set(index, { pulse: this.#pulse(index), looks: missed - STARTING * missed })
  }

  ignore(index: number): void {
    this.#watched.delete(index)
  }

  close(): void {
    this.#end.abort()
  }

  async #run(): Promise<void> {
    const { clock, rhythm } = this.#parts
    const { signal } = this.#end
    while (!signal.aborted) {
      await clock.sleep(rhythm.everyMs, signal)
      if (!signal.aborted) this.#look()
    }
  }

  #look(): void {
    for (const [index, seen] of this.#watched) {
      const pulse = this.#pulse(index)
      seen.looks = pulse === seen.pulse ? seen.looks + 1 : 0
      seen.pulse = pulse
      if (seen.looks < this.#parts.rhythm.missed) continue
      this.ignore(index)
      this.#parts.stopped(index)
    }
  }

  #pulse(index: number): number {
    return Atomics.load(this.#parts.pulses, index)
  }
}
