import { FIRST_WORKER, LIMIT, USED, type WorkerStart } from '#proxy/relay/messages.ts'

// The descriptors that are left for connections, counted by all workers together: one too many anywhere in the process, and
// the agent itself could not open a file.

export class Budget {
  readonly #descriptors: Int32Array<SharedArrayBuffer>
  readonly #own: number
  #refused = 0

  constructor({ index, shared }: Pick<WorkerStart, 'index' | 'shared'>) {
    this.#descriptors = shared.descriptors
    this.#own = FIRST_WORKER + index
  }

  /** False where fewer are left; otherwise they are taken, and must be given back. */
  take(count: number): boolean {
    for (;;) {
      const used = Atomics.load(this.#descriptors, USED)
      if (used + count > Atomics.load(this.#descriptors, LIMIT)) {
        this.#refused++
        return false
      }
      if (Atomics.compareExchange(this.#descriptors, USED, used, used + count) === used) break
    }
    Atomics.add(this.#descriptors, this.#own, count)
    return true
  }

  give(count: number): void {
    Atomics.sub(this.#descriptors, USED, count)
    Atomics.sub(this.#descriptors, this.#own, count)
  }

  /** How often `take` returned false since the last call. */
  takeRefused(): number {
    const refused = this.#refused
    this.#refused = 0
    return refused
  }
}
