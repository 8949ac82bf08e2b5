import type { ApiObject } from './object.ts'
import type { Resource } from './requests/resources.ts'

// The changes of a store, as long as they are remembered: what watches are fed from, and what older lists are made of.

export interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly revision: number
  readonly resource: Resource
  readonly object: ApiObject
  readonly previous?: ApiObject
}

export class History {
  readonly #limit: number
  #changes: Change[] = []
  #compacted: number

  /** Every resourceVersion up to `start` is forgotten from the beginning. */
  constructor(limit: number, start: number) {
    this.#limit = limit
    this.#compacted = start
  }

  /** The newest resourceVersion whose successors are no longer all remembered. */
  get compacted(): number {
    return this.#compacted
  }

  add(change: Change): void {
    this.#changes.push(change)
    // Forgetting one by one would move the whole array for every change.
    if (this.#changes.length < 2 * this.#limit) return
    this.#compacted += this.#changes.length - this.#limit
    this.#changes = this.#changes.slice(-this.#limit)
  }

  /** The change with this revision. */
  at(revision: number): Change | undefined {
    return this.#changes[revision - this.#compacted - 1]
  }

  /** Of one resource, oldest first. */
  since(revision: number, resource: Resource): readonly Change[] {
    return this.#changes.slice(revision - this.#compacted).filter(change => change.resource === resource)
  }

  compact(revision: number): void {
    this.#changes = []
    this.#compacted = revision
  }
}
