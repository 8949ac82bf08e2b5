import type { Mode, Plan, Unit } from '../modes/mode.ts'
import type { Book } from '../plan/book.ts'
import { diff, settle } from '../plan/diff.ts'
import { must } from '../system/must.ts'
import type { Kernel } from '../system/ports.ts'

// A book → a kernel that says the same. There is no full sync: only what we believe, and whether we believe anything.

export interface Done {
  readonly looked: boolean
  readonly plan: Plan
  readonly commands: number
  readonly bytes: number
}

export class Sync {
  readonly #mode: Mode
  readonly #kernel: Kernel
  #installed: Map<Unit, string> | undefined

  constructor(mode: Mode, kernel: Kernel) {
    this.#mode = mode
    this.#kernel = kernel
  }

  /** Throws where a command fails; then nothing is believed, and the next run looks first. */
  async run(book: Book): Promise<Done> {
    const looked = this.#installed === undefined
    const installed = this.#installed ?? new Map(await this.#mode.read(this.#kernel))
    const touched = book.takeTouched()
    const plan = diff(installed, book.rules, looked ? undefined : touched)
    this.#installed = undefined
    const commands = this.#mode.write(plan)
    for (const command of commands) await must(this.#kernel, command)
    this.#installed = settle(installed, plan)
    return {
      looked,
      plan,
      commands: commands.length,
      bytes: commands.reduce((sum, { input }) => sum + (input?.length ?? 0), 0),
    }
  }

  /** After a failure, when someone else touched the kernel, on SIGHUP, hourly. */
  forget(): void {
    this.#installed = undefined
  }
}
