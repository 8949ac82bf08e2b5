import type { Mode, Plan, Ruleset, Unit } from '#proxy/modes/mode.ts'
import type { Book } from '#proxy/plan/book.ts'
import { applied, diff, emptied } from '#proxy/plan/diff.ts'
import { must } from '#system/must.ts'
import type { Clock, Command, Kernel } from '#system/ports.ts'
import type { Blocked } from './report.ts'

// A book → a kernel with the same rules. There is no full sync: there is what is believed to be installed, if anything.

export interface Done {
  readonly looked: boolean
  readonly plan: Plan
  /** Units that differed without a change of the book: another program changed them. Empty at the first read. */
  readonly drift: readonly Unit[]
  /** Units that cannot be deleted because foreign rules jump to them, without those reported before. */
  readonly blocked: readonly Blocked[]
  readonly commands: number
  readonly bytes: number
  /** Milliseconds: reading the kernel, working out what must change, running the commands. */
  readonly stages: { readonly read: number; readonly plan: number; readonly write: number }
}

export class Sync {
  readonly #mode: Mode
  readonly #kernel: Kernel
  readonly #clock: Pick<Clock, 'now'>
  /** What the kernel is believed to have; undefined where the next run must read it. */
  #installed: Map<Unit, string> | undefined
  /** Units touched by runs that failed: their differences are our own, no drift. */
  #unapplied: ReadonlySet<Unit> = new Set()
  #hasApplied = false
  /** Units that foreign rules jump to, each with such a rule, as of the last read of them. */
  #blocked: ReadonlyMap<Unit, string> = NONE_BLOCKED
  /** Units this kernel could not delete in the same transaction: emptied, deleted by a later run, no drift. */
  #emptied: ReadonlySet<Unit> = NO_UNITS
  /** Units that runs have written, or were about to write, since an audit began beside them. */
  #writtenMeanwhile: Set<Unit> | undefined
  /** Grows with each call of `forget`: what was read under an earlier number is not believed. */
  #epoch = 0

  constructor(mode: Mode, kernel: Kernel, clock: Pick<Clock, 'now'>) {
    this.#mode = mode
    this.#kernel = kernel
    this.#clock = clock
  }

  /** Throws where a command fails; then nothing is believed, and the next run reads the kernel. */
  async run(book: Book): Promise<Done> {
    const believed = this.#installed
    try {
      return await this.#attempt(book)
    } catch (error) {
      if (believed === undefined) throw error
      // A foreign rule may jump to a chain that was to be deleted: no failure, and only reading the kernel shows it.
      const blocked = await this.#blockedIn(diff(believed, book.rules, this.#unapplied)).catch(() => NONE_BLOCKED)
      if (blocked.size === 0) throw error
      return await this.#attempt(book)
    }
  }

  async #attempt(book: Book): Promise<Done> {
    const startedAt = this.#clock.now()
    const looked = this.#installed === undefined
    const epoch = this.#epoch
    const installed = this.#installed ?? adopted(await this.#mode.read(this.#kernel), book.rules)
    const readAt = this.#clock.now()
    const touched = this.#unapplied.union(book.takeTouched())
    this.#unapplied = touched
    const wanted = diff(installed, book.rules, looked ? undefined : touched)
    this.#installed = undefined
    const blocked = looked ? await this.#blockedIn(wanted) : NONE_BLOCKED
    const plan = emptied(wanted, blocked.keys(), installed)
    for (const unit of unitsOf(plan)) this.#writtenMeanwhile?.add(unit)
    const commands = this.#mode.write(plan)
    const plannedAt = this.#clock.now()
    for (const command of commands) await must(this.#kernel, command)
    if (epoch === this.#epoch) this.#installed = applied(installed, plan)
    const stages = { read: readAt - startedAt, plan: plannedAt - readAt, write: this.#clock.now() - plannedAt }
    const done = { looked, commands: commands.length, bytes: sizeOf(commands), stages }
    return { ...done, plan, ...this.#foreignChanges(plan, { touched, looked, blocked }) }
  }

  /**
   * The audit: reads the kernel while runs go on, which may take a minute on a large node. True where a unit differs
   * from what is believed and no run has written it meanwhile. False where nothing is believed: the next run reads by
   * itself.
   */
  async differs(): Promise<boolean> {
    const believed = this.#installed
    if (believed === undefined) return false
    const [epoch, written] = [this.#epoch, new Set<Unit>()]
    this.#writtenMeanwhile = written
    try {
      const found = await this.#mode.read(this.#kernel)
      return epoch === this.#epoch && unitsOf(diff(found, believed)).some(unit => !written.has(unit))
    } finally {
      this.#writtenMeanwhile = undefined
    }
  }

  /** The plan is applied: what it shows of other programs, and what the next run must remember of it. */
  #foreignChanges(plan: Plan, { touched, looked, blocked }: Applied): Pick<Done, 'drift' | 'blocked'> {
    this.#unapplied = NO_UNITS
    const drift = this.#hasApplied && looked ? untouched(plan, touched.union(this.#emptied)) : []
    this.#emptied = this.#emptied.difference(plan.remove).union(this.#mode.emptied?.(plan) ?? NO_UNITS)
    this.#hasApplied = true
    return { drift, blocked: looked ? this.#newlyBlocked(blocked) : [] }
  }

  /** Of the units to delete, those that foreign rules jump to. */
  async #blockedIn({ remove }: Plan): Promise<ReadonlyMap<Unit, string>> {
    if (remove.size === 0 || this.#mode.foreignRules === undefined) return NONE_BLOCKED
    const foreignRules = await this.#mode.foreignRules(this.#kernel)
    return new Map([...foreignRules].filter(([unit]) => remove.has(unit)))
  }

  #newlyBlocked(blocked: ReadonlyMap<Unit, string>): readonly Blocked[] {
    const before = this.#blocked
    this.#blocked = blocked
    return [...blocked].filter(([unit]) => !before.has(unit)).map(([unit, by]) => ({ unit, by }))
  }

  /** After a failure, when another program has changed our rules, on SIGHUP. */
  forget(): void {
    this.#epoch++
    this.#installed = undefined
  }
}

interface Applied {
  readonly touched: ReadonlySet<Unit>
  readonly looked: boolean
  readonly blocked: ReadonlyMap<Unit, string>
}

const NO_UNITS: ReadonlySet<Unit> = new Set()
const NONE_BLOCKED: ReadonlyMap<Unit, string> = new Map()

function sizeOf(commands: readonly Command[]): number {
  return commands.reduce((sum, { input }) => sum + (input?.length ?? 0), 0)
}

/** Where both texts are equal, the book's own string: one cut from a listing keeps the whole listing in memory. */
function adopted(found: Ruleset, wanted: Ruleset): Map<Unit, string> {
  const installed = new Map<Unit, string>()
  for (const [unit, text] of found) {
    const ours = wanted.get(unit)
    installed.set(unit, ours === text ? ours : text)
  }
  return installed
}

function untouched(plan: Plan, touched: ReadonlySet<Unit>): readonly Unit[] {
  return unitsOf(plan).filter(unit => !touched.has(unit))
}

function unitsOf({ add, change, remove }: Plan): readonly Unit[] {
  return [...add.keys(), ...change.keys(), ...remove]
}
