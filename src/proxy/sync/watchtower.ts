import type { Alarm, Author } from '#proxy/modes/mode.ts'
import { type Clock, type Command, type Follow, NOT_FOUND } from '#system/ports.ts'

// What the kernel tells of changes → an alarm when somebody else touched what is ours.

export interface WatchtowerParts {
  readonly alarm: Alarm
  readonly follow: Follow
  readonly clock: Clock
  /** Whether we ourselves are changing the kernel, or were a moment ago: news of that is late by a moment too. */
  readonly busy: () => boolean
  readonly ring: () => void
  /** Something may have happened that nobody was told of: while nobody was up there, or not yet listening. */
  readonly missed: () => void
}

const RESTART_MS = 5000
/** So long `nft monitor` may take until it listens: it looks at everything there is before. */
const LISTENING_MS = 60_000

export class Watchtower {
  readonly #parts: WatchtowerParts
  #watching = false
  #suspicious = false
  /** Commands of ours that we have not been told of yet. */
  #expected = 0
  /** Processes that were taken for them. */
  #ours: ReadonlySet<string> = new Set()

  constructor(parts: WatchtowerParts) {
    this.#parts = parts
  }

  /** Whether anybody is up there: where not, the kernel must be looked at now and then. */
  get isListening(): boolean {
    return this.#watching
  }

  /** Our own command is about to run. */
  expect(command: Command): void {
    if (this.#parts.alarm.isChange(command)) this.#expected += 1
  }

  /** What was expected and has not come will not come: a command that failed, or that changed nothing. */
  settle(): void {
    this.#expected = 0
    this.#ours = new Set()
  }

  /** Runs until the signal aborts, or until it turns out that nobody can watch here. */
  async run(signal: AbortSignal): Promise<void> {
    const { alarm, follow, clock } = this.#parts
    while (!signal.aborted) {
      const following = follow(alarm.argv, line => this.#hear(line))
      this.#watching = true
      this.settle()
      const end = (): void => void following.stop()
      signal.addEventListener('abort', end, { once: true })
      const ended = new AbortController()
      const over = AbortSignal.any([signal, ended.signal])
      const listening = clock.sleep(LISTENING_MS, over).then(() => {
        if (!over.aborted) this.#parts.missed()
      })
      const { code } = await following.ended
      ended.abort()
      await listening
      signal.removeEventListener('abort', end)
      this.#watching = false
      if (code === NOT_FOUND) return
      await clock.sleep(RESTART_MS, signal)
    }
  }

  /** Changes come first and who made them comes last, transaction by transaction. */
  #hear(line: string): void {
    const { alarm, busy, ring } = this.#parts
    const author = alarm.author(line)
    if (author === undefined) {
      this.#suspicious ||= alarm.concerns(line)
      return
    }
    const suspicious = this.#suspicious
    this.#suspicious = false
    if (suspicious && !(busy() && alarm.isUs(author.program) && this.#isExpected(author))) ring()
  }

  /** Others use our program too, and may do so while we are at it: then there is one process more than we started. */
  #isExpected({ process }: Author): boolean {
    if (this.#ours.has(process)) return true
    if (this.#expected === 0) return false
    this.#expected -= 1
    this.#ours = new Set([...this.#ours, process])
    return true
  }
}
