// Work → its turn: one at a time for each container, side by side for different ones, and some alone of all.

export class Turns {
  /** By container: settles when its last work is done. */
  readonly #tails = new Map<string, Promise<unknown>>()
  /** Settles when the last work that was alone is done. */
  #alone: Promise<unknown> = Promise.resolve()

  /** After what came before it for the same container. */
  inTurn<T>(container: string, work: () => Promise<T>): Promise<T> {
    const before = [this.#alone, this.#tails.get(container)]
    const done = Promise.all(before).then(work)
    const tail = settled(done).then(() => {
      if (this.#tails.get(container) === tail) this.#tails.delete(container)
    })
    this.#tails.set(container, tail)
    return done
  }

  /** After all that came before it; what comes later waits for it. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.idle().then(work)
    this.#alone = settled(done)
    return done
  }

  /** Resolves when all that has come up to now is done. */
  async idle(): Promise<void> {
    await Promise.all([this.#alone, ...this.#tails.values()])
  }
}

/** The one behind it goes on, whatever became of it. */
function settled(done: Promise<unknown>): Promise<void> {
  return done.then(
    () => {},
    () => {},
  )
}
