import { signalGroup } from './start-process.ts'

// A process group and a time → the group is gone when the time is over, and the waiting ends in any case.

export interface DeadlineOptions {
  /** The group's number: that of the process that leads it. */
  readonly group: number
  readonly limitMs: number
  /** How long the group may take to go by itself after SIGTERM. */
  readonly graceMs: number
}

/** A process in an uninterruptible system call outlives SIGKILL for a while; its outcome is not waited for longer than this. */
const LAST_WAIT_MS = 1000

export class Deadline {
  readonly #group: number
  readonly #graceMs: number
  readonly #onWaitedEnough: () => void
  #timer: NodeJS.Timeout
  #passed = false
  /** Resolves when waiting any longer is useless: the group was killed and something still holds its pipes. */
  readonly waitedEnough: Promise<void>

  constructor({ group, limitMs, graceMs }: DeadlineOptions) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#group = group
    this.#graceMs = graceMs
    this.waitedEnough = promise
    this.#onWaitedEnough = resolve
    this.#timer = setTimeout(() => this.#end(), limitMs)
  }

  get passed(): boolean {
    return this.#passed
  }

  /** The program is done: no more signals, except to what it left behind when it had to be ended. */
  lift(): void {
    clearTimeout(this.#timer)
    if (this.#passed) signalGroup(this.#group, 'SIGKILL')
  }

  #end(): void {
    this.#passed = true
    signalGroup(this.#group, 'SIGTERM')
    this.#timer = setTimeout(() => {
      signalGroup(this.#group, 'SIGKILL')
      this.#timer = setTimeout(this.#onWaitedEnough, LAST_WAIT_MS)
    }, this.#graceMs)
  }
}
