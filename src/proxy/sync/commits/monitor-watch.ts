import { MONITOR_RULES, monitorLine } from '#dialects/nft-monitor.ts'
import {
  type Clock,
  type CommitListener,
  type Follow,
  type Following,
  NOT_FOUND,
  type RulesetWatch,
  type Stop,
  type Touch,
} from '#system/ports.ts'
import { same } from '#values/same.ts'

// Lines of `nft monitor` → a RulesetWatch, where the kernel cannot be listened to directly. It takes a process whose memory
// grows with the rules: 174 MB at 2,000 Services × 10, some 470 MB at 5,000 × 10.

export interface MonitorWatchParts {
  readonly follow: Follow
  readonly clock: Clock
}

const RESTART_MS = 5000
/** `nft monitor` reads the whole ruleset before it listens, and is believed to listen after this long. */
const LISTENING_MS = 60_000

export class MonitorWatch implements RulesetWatch {
  readonly delivery = 'late'
  readonly #parts: MonitorWatchParts
  readonly #listeners = new Set<CommitListener>()
  #running: AbortController | undefined
  #following: Following | undefined
  #touches: Touch[] = []

  constructor(parts: MonitorWatchParts) {
    this.#parts = parts
  }

  get isListening(): boolean {
    return this.#following !== undefined
  }

  listen(listener: CommitListener): Stop {
    this.#listeners.add(listener)
    if (this.#running === undefined) {
      this.#running = new AbortController()
      void this.#run(this.#running.signal)
    }
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size > 0) return
      this.#running?.abort()
      this.#running = undefined
    }
  }

  /** Lines come when the program prints them. */
  hear(): void {}

  /** Of commits that have not been printed yet nothing is known. */
  generation(): undefined {}

  namespace(): undefined {}

  /** Until the last listener has gone, or until it turns out that this node has no such program. */
  async #run(signal: AbortSignal): Promise<void> {
    const { follow, clock } = this.#parts
    while (!signal.aborted) {
      this.#touches = []
      const following = follow(MONITOR_RULES, line => this.#read(line))
      this.#following = following
      const end = (): void => void following.stop()
      signal.addEventListener('abort', end, { once: true })
      const ended = new AbortController()
      const over = AbortSignal.any([signal, ended.signal])
      const listening = clock.sleep(LISTENING_MS, over).then(() => {
        if (!over.aborted) this.#gap()
      })
      const { code } = await following.ended
      ended.abort()
      await listening
      signal.removeEventListener('abort', end)
      if (this.#following === following) this.#following = undefined
      if (code === NOT_FOUND) return this.#gap()
      await clock.sleep(RESTART_MS, signal)
    }
  }

  /** A listener that took this for a watch may be waiting for its commits. */
  #gap(): void {
    for (const listener of this.#listeners) listener.gap()
  }

  #read(line: string): void {
    const read = monitorLine(line)
    if (read === undefined) return
    if ('touch' in read) {
      // A chain's rules come one after another: they are one touch.
      if (!same(this.#touches.at(-1), read.touch)) this.#touches.push(read.touch)
      return
    }
    const commit = { ...read.end, touches: this.#touches }
    this.#touches = []
    for (const listener of this.#listeners) listener.commit(commit)
  }
}
