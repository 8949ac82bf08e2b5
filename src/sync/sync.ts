import type { Mode, Plan, Ruleset, Unit } from '../modes/mode.ts'
import type { Book } from '../plan/book.ts'
import { diff, settle } from '../plan/diff.ts'
import { must } from '../system/must.ts'
import type { Clock, Command, Kernel } from '../system/ports.ts'

// A book → a kernel that says the same. There is no full sync: only what we believe, and whether we believe anything.

export interface Done {
  readonly looked: boolean
  readonly plan: Plan
  /** What differed although nobody here had asked for a change: somebody else was there. Empty at the first look. */
  readonly drift: readonly Unit[]
  readonly commands: number
  readonly bytes: number
  /** Looking at the kernel, working out what must change, and carrying it out, in milliseconds. */
  readonly stages: { readonly read: number; readonly plan: number; readonly write: number }
}

export class Sync {
  readonly #mode: Mode
  readonly #kernel: Kernel
  readonly #clock: Pick<Clock, 'now'>
  #installed: Map<Unit, string> | undefined
  /** Touched by runs that failed: their changes are ours. */
  #unsettled: ReadonlySet<Unit> = new Set()
  #hasSettled = false
  /** Counts how often we were told to forget: what was learned before the last time is worth nothing. */
  #doubts = 0

  constructor(mode: Mode, kernel: Kernel, clock: Pick<Clock, 'now'>) {
    this.#mode = mode
    this.#kernel = kernel
    this.#clock = clock
  }

  /** Throws where a command fails; then nothing is believed, and the next run looks first. */
  async run(book: Book): Promise<Done> {
    const startedAt = this.#clock.now()
    const doubts = this.#doubts
    const looked = this.#installed === undefined
    const installed = this.#installed ?? adopted(await this.#mode.read(this.#kernel), book.rules)
    const readAt = this.#clock.now()
    const touched = this.#unsettled.union(book.takeTouched())
    this.#unsettled = touched
    const plan = diff(installed, book.rules, looked ? undefined : touched)
    this.#installed = undefined
    const commands = this.#mode.write(plan)
    const plannedAt = this.#clock.now()
    for (const command of commands) await must(this.#kernel, command)
    if (doubts === this.#doubts) this.#installed = settle(installed, plan)
    this.#unsettled = new Set()
    const drift = this.#hasSettled && looked ? foreign(plan, touched) : []
    this.#hasSettled = true
    const stages = { read: readAt - startedAt, plan: plannedAt - readAt, write: this.#clock.now() - plannedAt }
    return { looked, plan, drift, commands: commands.length, bytes: sizeOf(commands), stages }
  }

  /** After a failure, when someone else touched the kernel, on SIGHUP, hourly. */
  forget(): void {
    this.#doubts++
    this.#installed = undefined
  }
}

function sizeOf(commands: readonly Command[]): number {
  return commands.reduce((sum, { input }) => sum + (input?.length ?? 0), 0)
}

/** Where both say the same, the book's own string: what was read holds on to the whole listing it was cut from. */
function adopted(found: Ruleset, wanted: Ruleset): Map<Unit, string> {
  const installed = new Map<Unit, string>()
  for (const [unit, text] of found) {
    const ours = wanted.get(unit)
    installed.set(unit, ours === text ? ours : text)
  }
  return installed
}

function foreign({ add, change, remove }: Plan, touched: ReadonlySet<Unit>): readonly Unit[] {
  return [...add.keys(), ...change.keys(), ...remove].filter(unit => !touched.has(unit))
}
