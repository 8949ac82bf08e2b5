// What an ADD has made → how to take it back, last first.

export class Undo {
  readonly #steps: (() => Promise<unknown>)[] = []

  /** Before the change is made where it may half succeed: taking back what is not there does no harm. */
  push(step: () => Promise<unknown>): void {
    this.#steps.push(step)
  }

  /** The failure that led here is the one to report: one more on the way back hides nothing of it. */
  async run(): Promise<void> {
    for (const step of this.#steps.splice(0).reverse()) {
      try {
        await step()
      } catch {
        // The DEL that a runtime sends after a failed ADD tries again.
      }
    }
  }
}
