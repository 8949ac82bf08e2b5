import type { WorkerStart } from '../messages.ts'

// The descriptors that are left for connections, counted by all workers together: one too many anywhere in the process, and
// the agent itself could not open a file any more.

export class Budget {
  readonly #descriptors: Int32Array<SharedArrayBuffer>
  readonly #own: number
  #refused = 0

  constructor({ index, shared }: Pick<WorkerStart, 'index' | 'shared'>) {
    this.#descriptors = shared.descriptors
    this.#own = index + 1
  }

  /** Whether there are so many; then they are taken, and must be given back. */
  take(count: number): boolean {
    Atomics.add(this.#descriptors, this.#own, count)
    let used = 0
    for (let i = 1; i < this.#descriptors.length; i++) used += Atomics.load(this.#descriptors, i)
    if (used <= Atomics.load(this.#descriptors, 0)) return true
    this.give(count)
    this.#refused++
    return false
  }

  give(count: number): void {
    Atomics.sub(this.#descriptors, this.#own, count)
  }

  /** How often there was not enough since this was last asked. */
  takeRefused(): number {
    const refused = this.#refused
    this.#refused = 0
    return refused
  }
}
