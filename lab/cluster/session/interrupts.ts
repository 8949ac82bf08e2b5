import { onSignals } from '#system/signals.ts'

// Ctrl-C, the end of the terminal and SIGTERM → one abort, however often they come; each is answered, so that a person sees that it
// was heard.

export class Interrupts {
  readonly #stop = new AbortController()
  readonly #off: () => void
  #count = 0

  /** `heard` is called with how many there were before. */
  constructor(heard: (before: number) => void) {
    const end = (): void => {
      heard(this.#count++)
      this.#stop.abort()
    }
    this.#off = onSignals({ SIGINT: end, SIGTERM: end, SIGHUP: end }).off
  }

  get signal(): AbortSignal {
    return this.#stop.signal
  }

  /** Resolves with the first. */
  async first(): Promise<void> {
    const { signal } = this
    if (!signal.aborted) await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
  }

  close(): void {
    this.#off()
  }
}
