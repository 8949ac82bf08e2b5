import type { Part, Watches } from '#proxy/modes/mode.ts'
import type { Clock, Command, Commit, Outcome, RulesetDump, RulesetWatch, Stop, Touch } from '#system/ports.ts'

// Commits to the ruleset → a call when another program has touched rules of ours. Which commits are ours? While a command of
// ours runs, those of one process with the name of its program. The process's number says nothing: an agent in a container
// knows its children by others.

/** Parts of the ruleset, or all of it. */
export type Suspects = ReadonlySet<Part> | 'everything'

export interface KernelWatchParts {
  readonly watches: Watches
  readonly ruleset: RulesetWatch
  readonly clock: Clock
  readonly onForeignChange: (touched: Suspects) => void
  /** Commits may have gone unheard. */
  readonly onGap: () => void
}

/** How long a commit of ours may be reported after its command has ended, where delivery is late. */
const LATE_MS = 300

/** While commands of ours run: what was committed under their name. */
interface Window {
  readonly author: string
  /** How many commands of ours there were. */
  commands: number
  readonly processes: Set<number>
  /** What the commits touched that are taken for ours. */
  readonly ours: Suspects[]
  until: number
}

export class KernelWatch {
  readonly #parts: KernelWatchParts
  #stop: Stop | undefined
  #window: Window | undefined

  constructor(parts: KernelWatchParts) {
    this.#parts = parts
  }

  /** True where the kernel reports every change of our units; otherwise the lane reads it every sync period. */
  get isListening(): boolean {
    return this.#hears && this.#parts.watches.isPartial !== true
  }

  get #hears(): boolean {
    return this.#stop !== undefined && this.#parts.ruleset.isListening
  }

  /** True where every commit is heard before the command ends that comes after it: what is believed is then known. */
  get isExact(): boolean {
    return this.isListening && this.#parts.ruleset.delivery === 'exact'
  }

  /** Only beside commits that are heard: what the kernel lists now is soon no longer so. */
  dump(): RulesetDump | undefined {
    return this.isExact ? this.#parts.ruleset.dump?.() : undefined
  }

  namespace(): string | undefined {
    return this.#parts.ruleset.namespace()
  }

  /** The number of the last commit, where none has gone unheard up to now, and the kernel says so. */
  generation(): number | undefined {
    return this.isExact ? this.#parts.ruleset.generation() : undefined
  }

  listen(): void {
    const listener = { commit: (commit: Commit) => this.#take(commit), gap: () => this.#parts.onGap() }
    this.#stop ??= this.#parts.ruleset.listen(listener)
  }

  stop(): void {
    this.#stop?.()
    this.#stop = undefined
  }

  /** What was committed up to now counts for the sync that begins. */
  hear(): void {
    if (this.#hears) this.#parts.ruleset.hear()
  }

  /** Runs a command of ours; what it commits is not reported. */
  async during(command: Command, run: () => Promise<Outcome>): Promise<Outcome> {
    const author = this.#parts.watches.author(command)
    if (author === undefined || !this.#hears) return run()
    const { ruleset } = this.#parts
    ruleset.hear()
    const window = this.#opened(author)
    let outcome: Outcome | undefined
    try {
      outcome = await run()
      return outcome
    } finally {
      ruleset.hear()
      // A command that failed may have committed nothing, and what bears its program's name is another program's then.
      if (outcome?.code !== 0) this.#reportAsForeign(window)
      window.until = this.#parts.clock.now() + LATE_MS
      if (ruleset.delivery === 'exact' && this.#window === window) this.#window = undefined
    }
  }

  /** Where commits are reported late, those of several commands are waited for together. */
  #opened(author: string): Window {
    const open = this.#window
    const goesOn = open !== undefined && open.author === author && this.#parts.clock.now() < open.until
    const window = goesOn ? open : { author, commands: 0, processes: new Set<number>(), ours: [], until: 0 }
    window.commands++
    window.until = Number.POSITIVE_INFINITY
    this.#window = window
    return window
  }

  #take({ program, process, touches }: Commit): void {
    const touched = this.#touchedBy(touches)
    if (touched === undefined) return
    const window = this.#window
    if (window === undefined || window.author !== program || this.#parts.clock.now() >= window.until) {
      this.#parts.onForeignChange(touched)
      return
    }
    window.processes.add(process)
    window.ours.push(touched)
    if (window.processes.size <= window.commands) return
    // An administrator runs the same program meanwhile: which of these commits were ours cannot be known.
    this.#reportAsForeign(window)
  }

  #reportAsForeign({ ours }: Window): void {
    for (const one of ours.splice(0)) this.#parts.onForeignChange(one)
  }

  #touchedBy(touches: readonly Touch[]): Suspects | undefined {
    const parts = new Set<Part>()
    for (const touch of touches) {
      const concern = this.#parts.watches.concerns(touch)
      if (concern === 'everything') return concern
      if (concern !== 'nothing') parts.add(concern)
    }
    return parts.size === 0 ? undefined : parts
  }
}
