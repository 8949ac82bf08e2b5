import type { Alarm, Author } from '#proxy/modes/mode.ts'
import { type Clock, type Command, type Follow, NOT_FOUND } from '#system/ports.ts'

// Lines of a program that reports changes in the kernel → a call when another program has changed our rules.

export interface KernelWatchParts {
  readonly alarm: Alarm
  readonly follow: Follow
  readonly clock: Clock
  /** True while a command of ours runs, and for a moment after it: reports of its changes come late. */
  readonly isBusy: () => boolean
  readonly onForeignChange: () => void
  /** Changes may have gone unreported: the program ended and was started again, or was not listening yet. */
  readonly onGap: () => void
}

const RESTART_MS = 5000
/** `nft monitor` reads the whole ruleset before it listens, and is believed to listen after this long. */
const LISTENING_MS = 60_000

export class KernelWatch {
  readonly #parts: KernelWatchParts
  #isListening = false
  /** A line of the transaction that is being reported was about rules of ours. */
  #concernsUs = false
  /** Commands of ours whose changes have not been reported yet. */
  #expected = 0
  /** Processes that were counted as those commands. */
  #ours: ReadonlySet<string> = new Set()

  constructor(parts: KernelWatchParts) {
    this.#parts = parts
  }

  /** True while the listener runs; otherwise the lane reads the kernel every sync period. */
  get isListening(): boolean {
    return this.#isListening
  }

  /** A command of ours is about to run. */
  expect(command: Command): void {
    if (this.#parts.alarm.isChange(command)) this.#expected += 1
  }

  /** Commands that were expected and not reported by now failed or changed nothing: they will not be reported. */
  forgetExpected(): void {
    this.#expected = 0
    this.#ours = new Set()
  }

  /** Runs until the signal aborts, or until it turns out that this node has no such program. */
  async run(signal: AbortSignal): Promise<void> {
    const { alarm, follow, clock } = this.#parts
    while (!signal.aborted) {
      const following = follow(alarm.argv, line => this.#read(line))
      this.#isListening = true
      this.forgetExpected()
      const end = (): void => void following.stop()
      signal.addEventListener('abort', end, { once: true })
      const ended = new AbortController()
      const over = AbortSignal.any([signal, ended.signal])
      const listening = clock.sleep(LISTENING_MS, over).then(() => {
        if (!over.aborted) this.#parts.onGap()
      })
      const { code } = await following.ended
      ended.abort()
      await listening
      signal.removeEventListener('abort', end)
      this.#isListening = false
      if (code === NOT_FOUND) return
      await clock.sleep(RESTART_MS, signal)
    }
  }

  /** The lines of a transaction are its changes, and at the end the program and process that made it. */
  #read(line: string): void {
    const { alarm, isBusy, onForeignChange } = this.#parts
    const author = alarm.author(line)
    if (author === undefined) {
      this.#concernsUs ||= alarm.concerns(line)
      return
    }
    const concernsUs = this.#concernsUs
    this.#concernsUs = false
    if (concernsUs && !(isBusy() && alarm.isUs(author.program) && this.#isExpected(author))) onForeignChange()
  }

  /** An administrator may run the same program meanwhile: then there is one process more than commands of ours. */
  #isExpected({ process }: Author): boolean {
    if (this.#ours.has(process)) return true
    if (this.#expected === 0) return false
    this.#expected -= 1
    this.#ours = new Set([...this.#ours, process])
    return true
  }
}
