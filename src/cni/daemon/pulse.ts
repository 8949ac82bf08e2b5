import type { Clock } from '#system/ports.ts'

// One timer for all that looks at the clock once a second, and none while nothing does.

const BEAT_MS = 1000

export class Pulse {
  readonly #clock: Clock
  readonly #beats = new Set<() => void>()
  #isRunning = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The first time within a second; until what this returns is called. */
  each(beat: () => void): () => void {
    this.#beats.add(beat)
    if (!this.#isRunning) void this.#run()
    return () => this.#beats.delete(beat)
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    while (this.#beats.size > 0) {
      await this.#clock.sleep(BEAT_MS)
      for (const beat of this.#beats) beat()
    }
    this.#isRunning = false
  }
}
