import type { Clock } from '#system/ports.ts'
import type { Pace } from './pace.ts'
import type { Sync } from './sync.ts'

// Times in which commits may have gone unheard → audits in the background, one at a time: changes must not wait for them.

export interface AuditsParts {
  readonly sync: Sync
  readonly pace: Pace
  readonly clock: Pick<Clock, 'now'>
}

export class Audits {
  readonly #parts: AuditsParts
  #running: Promise<void> | undefined
  /** Something may have changed unheard, and no audit has begun since. */
  #isInQuestion = false
  /** An audit found no drift; the next report says so. */
  #confirmed = false

  constructor(parts: AuditsParts) {
    this.#parts = parts
  }

  /** Commits may have gone unheard, up to now. */
  missed(): void {
    this.#isInQuestion = true
    this.compare()
  }

  /** To be compared, once a run is over. */
  question(): void {
    this.#isInQuestion = true
  }

  /** All is known to be as believed. */
  confirm(): void {
    this.#confirmed = true
  }

  takeConfirmed(): boolean {
    const confirmed = this.#confirmed
    this.#confirmed = false
    return confirmed
  }

  /** A run that begins reads all. */
  readsAll(): void {
    this.#isInQuestion = false
  }

  get isInQuestion(): boolean {
    return this.#isInQuestion
  }

  /** Resolves when none runs. */
  async ended(): Promise<void> {
    await this.#running
  }

  /** Waits for a run that reads all, and for an audit that began before. */
  compare(): void {
    if (!this.#isInQuestion || this.#running !== undefined || !this.#parts.sync.isKnown) return
    this.#isInQuestion = false
    this.#running = this.#run()
  }

  async #run(): Promise<void> {
    const { sync, pace, clock } = this.#parts
    // Where the audit fails, the next run reads the kernel itself and reports the error.
    const found = await sync.audit().catch(() => 'failed' as const)
    this.#running = undefined
    if (found === 'failed') sync.forget()
    else this.#confirmed = found !== 'unknown'
    pace.repairAt(clock.now())
    this.compare()
  }
}
