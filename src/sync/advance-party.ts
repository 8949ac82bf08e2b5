import type { Mode, Plan, Ruleset, Unit } from '../modes/mode.ts'
import { diff, settle } from '../plan/diff.ts'
import { must } from '../system/must.ts'
import type { Kernel } from '../system/ports.ts'

// While the rest of a large cluster is still being drawn: units that nothing leads to yet, written as they come. What stands
// already is neither changed nor taken away.

/** What it has done by the time everything is drawn. */
export interface Advanced {
  readonly installed: Map<Unit, string>
  readonly add: Ruleset
  readonly commands: number
  readonly bytes: number
}

const NOTHING: Plan = { add: new Map(), change: new Map(), remove: new Set() }

export class AdvanceParty {
  readonly #mode: Mode
  readonly #kernel: Kernel
  readonly #add = new Map<Unit, string>()
  #installed: Promise<Map<Unit, string>>
  #busy = false
  #commands = 0
  #bytes = 0

  constructor(mode: Mode, kernel: Kernel, look: () => Promise<Map<Unit, string>>) {
    this.#mode = mode
    this.#kernel = kernel
    this.#installed = this.#working(look())
  }

  /** Whether it has not come back yet from where it was sent last. */
  get busy(): boolean {
    return this.#busy
  }

  /** What fails is told by `arrived`. */
  send(units: Ruleset): void {
    this.#installed = this.#working(this.#installed.then(installed => this.#write(installed, units)))
  }

  /** Resolves when nothing of it is under way. */
  async arrived(): Promise<Advanced> {
    const installed = await this.#installed
    return { installed, add: this.#add, commands: this.#commands, bytes: this.#bytes }
  }

  async #write(installed: Map<Unit, string>, units: Ruleset): Promise<Map<Unit, string>> {
    const { add } = diff(installed, units, new Set(units.keys()))
    const plan = { ...NOTHING, add }
    for (const command of this.#mode.write(plan)) {
      await must(this.#kernel, command)
      this.#commands += 1
      this.#bytes += command.input?.length ?? 0
    }
    for (const [unit, text] of add) this.#add.set(unit, text)
    return settle(installed, plan)
  }

  #working<T>(work: Promise<T>): Promise<T> {
    this.#busy = true
    const done = (): void => {
      this.#busy = false
    }
    // Told later, by who waits for it; until then nobody does, and that is no reason to end the program.
    work.then(done, done)
    return work
  }
}
