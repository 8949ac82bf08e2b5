import type { Mode, Plan, Unit } from '../modes/mode.ts'
import type { Book } from '../plan/book.ts'
import { diff, settle } from '../plan/diff.ts'
import { must } from '../system/must.ts'
import type { Clock, Command, Kernel } from '../system/ports.ts'

// A book → a kernel that says the same. There is no full sync: only what we believe, and whether we believe anything.

export interface Done {
  readonly looked: boolean
  readonly plan: Plan
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

  constructor(mode: Mode, kernel: Kernel, clock: Pick<Clock, 'now'>) {
    this.#mode = mode
    this.#kernel = kernel
    this.#clock = clock
  }

  /** Throws where a command fails; then nothing is believed, and the next run looks first. */
  async run(book: Book): Promise<Done> {
    const startedAt = this.#clock.now()
    const looked = this.#installed === undefined
    const installed = this.#installed ?? new Map(await this.#mode.read(this.#kernel))
    const readAt = this.#clock.now()
    const touched = book.takeTouched()
    const plan = diff(installed, book.rules, looked ? undefined : touched)
    this.#installed = undefined
    const commands = this.#mode.write(plan)
    const plannedAt = this.#clock.now()
    for (const command of commands) await must(this.#kernel, command)
    this.#installed = settle(installed, plan)
    const stages = { read: readAt - startedAt, plan: plannedAt - readAt, write: this.#clock.now() - plannedAt }
    return { looked, plan, commands: commands.length, bytes: sizeOf(commands), stages }
  }

  /** After a failure, when someone else touched the kernel, on SIGHUP, hourly. */
  forget(): void {
    this.#installed = undefined
  }
}

function sizeOf(commands: readonly Command[]): number {
  return commands.reduce((sum, { input }) => sum + (input?.length ?? 0), 0)
}
