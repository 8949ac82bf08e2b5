import type { CommitListener, RulesetDump, RulesetWatch, Stop } from '#system/ports.ts'

// A RulesetWatch whose commits a test holds back for a while, as if the agent had no time to listen.

export class HeldBackWatch implements RulesetWatch {
  readonly delivery: RulesetWatch['delivery']
  readonly #watch: RulesetWatch
  readonly #waiting: (() => void)[] = []
  #isHeld = false

  constructor(watch: RulesetWatch) {
    this.#watch = watch
    this.delivery = watch.delivery
  }

  get isListening(): boolean {
    return this.#watch.isListening
  }

  hold(): void {
    this.#isHeld = true
  }

  release(): void {
    this.#isHeld = false
    for (const deliver of this.#waiting.splice(0)) deliver()
  }

  listen(listener: CommitListener): Stop {
    return this.#watch.listen({
      commit: commit => this.#deliver(() => listener.commit(commit)),
      gap: () => this.#deliver(() => listener.gap()),
    })
  }

  hear(): void {
    this.#watch.hear()
  }

  namespace(): string | undefined {
    return this.#watch.namespace()
  }

  /** As of a watch that has not heard the last commit. */
  generation(): number | undefined {
    return this.#isHeld ? undefined : this.#watch.generation()
  }

  dump(): RulesetDump | undefined {
    return this.#watch.dump?.()
  }

  #deliver(deliver: () => void): void {
    if (this.#isHeld) this.#waiting.push(deliver)
    else deliver()
  }
}
