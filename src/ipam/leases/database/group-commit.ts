import { LeaseStoreFailed } from '../store-failed.ts'
import type { Database } from './database.ts'

// Changes that are asked for in one turn of the event loop → one transaction, and one wait for the disk. Each fails alone,
// and each is answered once it is durable.

interface Change {
  readonly work: () => unknown
  readonly kind: ChangeKind
  readonly done: (value: unknown) => void
  readonly failed: (error: unknown) => void
}

/** Where the disk is full, `freeing` goes through in the room that is kept for it. */
export type ChangeKind = 'plain' | 'freeing'

type Outcome = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: unknown }

/**
 * SQLite itself would look ten times a second whether another process still writes, with all else standing still: one that
 * writes all the time is seldom met between two of its transactions.
 */
const PAUSE_MS = 5
const PATIENCE_MS = 10_000
/** Of the event loop: less than a millisecond, where a wait for the disk may take several. */
const GATHERING_TURNS = 50

export class GroupCommit {
  readonly #database: Database
  readonly #expected: () => number
  #waiting: Change[] = []
  #hasTurn = false
  #busySince: number | undefined

  /** `expected`: how many callers there are at the moment that may ask for a change soon, those that wait already included. */
  constructor(database: Database, expected: () => number = () => 0) {
    this.#database = database
    this.#expected = expected
  }

  /** `work` runs inside of the transaction. */
  change<T>(work: () => T, kind: ChangeKind = 'plain'): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ work, kind, done: value => resolve(value as T), failed: reject })
      if (this.#hasTurn) return
      this.#hasTurn = true
      this.#gather(GATHERING_TURNS)
    })
  }

  /** Pods that start at once share a transaction, though their calls arrive one after another. */
  #gather(turns: number): void {
    setImmediate(() => {
      if (this.#waiting.length < this.#expected() && turns > 0) this.#gather(turns - 1)
      else this.#turn()
    })
  }

  /** Makes all changes that are waiting before it returns. */
  finish(): void {
    const changes = this.#waiting
    if (changes.length === 0) return
    try {
      this.#answer(this.#database.write(() => this.#outcomes(changes)))
    } catch (error) {
      this.#failed(error)
    }
  }

  #turn(): void {
    const changes = this.#waiting
    if (changes.length > 0) {
      try {
        this.#answer(this.#database.writeNow(() => this.#outcomes(changes)))
      } catch (error) {
        if (this.#mayWait(error)) return
        this.#failed(error)
      }
    }
    this.#hasTurn = false
    this.#busySince = undefined
  }

  /** Nothing has happened where another process has the database. Changes that come meanwhile join those that wait. */
  #mayWait(error: unknown): boolean {
    if (!(error instanceof LeaseStoreFailed) || error.fault !== 'busy') return false
    this.#busySince ??= performance.now()
    if (performance.now() - this.#busySince > PATIENCE_MS) return false
    setTimeout(() => this.#turn(), 1 + Math.random() * PAUSE_MS)
    return true
  }

  #answer(outcomes: readonly Outcome[]): void {
    const changes = this.#waiting.splice(0)
    outcomes.forEach((outcome, i) => {
      if (outcome.ok) changes[i]!.done(outcome.value)
      else changes[i]!.failed(outcome.error)
    })
  }

  /** On a full disk what ends leases is tried again without all else, in the room that is kept for it. */
  #failed(error: unknown): void {
    if (error instanceof LeaseStoreFailed && error.fault === 'full') {
      this.#refuse(error, 'plain')
      this.#end(this.#waiting)
    } else {
      this.#refuse(error, 'plain')
      this.#refuse(error, 'freeing')
    }
  }

  #end(changes: readonly Change[]): void {
    if (changes.length === 0) return
    try {
      this.#answer(this.#database.freeing(() => this.#database.write(() => this.#outcomes(changes))))
    } catch (error) {
      this.#refuse(error, 'freeing')
    }
  }

  #refuse(error: unknown, which: ChangeKind): void {
    const refused = this.#waiting.filter(({ kind }) => kind === which)
    this.#waiting = this.#waiting.filter(({ kind }) => kind !== which)
    for (const { failed } of refused) failed(error)
  }

  /** One that is alone fails with its transaction. */
  #outcomes(changes: readonly Change[]): readonly Outcome[] {
    if (changes.length === 1) return [{ ok: true, value: changes[0]!.work() }]
    return changes.map(({ work }) => this.#outcome(work))
  }

  #outcome(work: () => unknown): Outcome {
    try {
      return { ok: true, value: this.#database.attempt(work) }
    } catch (error) {
      // What the disk or the file did not bear concerns all of the transaction.
      if (error instanceof LeaseStoreFailed) throw error
      return { ok: false, error }
    }
  }
}
