import type { Mode, Part, Plan, Ruleset, Unit } from '#proxy/modes/mode.ts'
import type { Book } from '#proxy/plan/book.ts'
import { applied, diff, emptied } from '#proxy/plan/diff.ts'
import { must } from '#system/must.ts'
import type { Clock, Command, Kernel } from '#system/ports.ts'
import { Audit } from './audit.ts'
import { type Belief, type Doubts, noDoubts, rewriting, type Settled, settle } from './belief.ts'
import type { Blocked } from './report.ts'

// A book → a kernel with the same rules. There is no full sync: there is what is believed to be installed, if anything.

export interface Done {
  readonly looked: boolean
  /** Parts of the ruleset that another program had touched, and that were read or written again. */
  readonly doubted: number
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
  /** Undefined where the next run must read the kernel. */
  #belief: Belief | undefined
  /** The last belief that held. What differs from it is drift; units it knew as blocked are not reported again. */
  #last: Belief | undefined
  #doubts = noDoubts()
  /** Units touched by runs that failed: their differences are our own, no drift. */
  #unapplied: ReadonlySet<Unit> = new Set()
  #audit: Audit | undefined
  /** Of the run that goes on, or of the last: what it set out to write. */
  #plan: Plan | undefined
  /** Grows with each call of `forget`: what was read under an earlier number is not believed. */
  #epoch = 0

  constructor(mode: Mode, kernel: Kernel, clock: Pick<Clock, 'now'>) {
    this.#mode = mode
    this.#kernel = kernel
    this.#clock = clock
  }

  /** False where the next run reads the kernel. */
  get isKnown(): boolean {
    return this.#belief !== undefined
  }

  /** Throws where a command fails; then nothing is believed, and the next run reads the kernel. */
  async run(book: Book): Promise<Done> {
    const isKnown = this.#belief !== undefined
    try {
      return await this.#attempt(book)
    } catch (error) {
      this.#belief = undefined
      const plan = this.#plan
      if (!isKnown || plan === undefined) throw error
      // A foreign rule may jump to a chain that was to be deleted: no failure, and only reading the kernel shows it.
      const blocked = await this.#blockedIn(plan).catch(() => NONE_BLOCKED)
      if (blocked.size === 0) throw error
      return await this.#attempt(book)
    }
  }

  async #attempt(book: Book): Promise<Done> {
    this.#plan = undefined
    const startedAt = this.#clock.now()
    const epoch = this.#epoch
    const doubts = this.#takeDoubts()
    const { installed, settled } = await this.#known(doubts, book)
    const looked = settled === undefined
    const readAt = this.#clock.now()
    const touched = this.#unapplied.union(book.takeTouched())
    this.#unapplied = touched
    const wanted = looked
      ? diff(installed, book.rules)
      : rewriting(diff(installed, book.rules, touched.union(settled.compare)), settled.rewrite, book.rules)
    const blocked = looked ? await this.#blockedIn(wanted) : NONE_BLOCKED
    const plan = emptied(wanted, blocked.keys(), installed)
    this.#plan = plan
    this.#audit?.wrote(unitsOf(plan))
    const commands = this.#mode.write(plan)
    const plannedAt = this.#clock.now()
    for (const command of commands) await must(this.#kernel, command)
    const doubted = doubts.parts.size
    const foreign = { touched, isChecked: looked || doubted + doubts.units.size > 0, blocked, looked }
    const reported = this.#accept(epoch, applied(installed, plan), plan, foreign)
    const stages = { read: readAt - startedAt, plan: plannedAt - readAt, write: this.#clock.now() - plannedAt }
    return { looked, doubted, plan, ...reported, commands: commands.length, bytes: sizeOf(commands), stages }
  }

  /** What is installed, with all doubts settled; without `settled`, it has just been read. */
  async #known(doubts: Doubts, { rules }: Book): Promise<{ installed: Map<Unit, string>; settled?: Settled }> {
    const { installed } = this.#belief ?? {}
    const parts = this.#mode.watches?.parts
    if (installed !== undefined) {
      const settled =
        parts === undefined
          ? { compare: doubts.units, rewrite: NO_UNITS }
          : await settle(doubts, { installed, wanted: rules, parts, kernel: this.#kernel })
      if (settled !== undefined) return { installed, settled }
    }
    return { installed: adopted(await this.#mode.read(this.#kernel), rules) }
  }

  /**
   * The audit: reads the kernel while runs go on, which may take a minute on a large node. Where units differ from what is
   * believed, and no run has written them meanwhile, the belief is corrected, and the next run writes them. 'unknown' where
   * nothing is believed: the next run reads by itself.
   */
  async audit(): Promise<'confirmed' | 'corrected' | 'unknown'> {
    const belief = this.#belief
    if (belief === undefined) return 'unknown'
    const audit = new Audit()
    this.#audit = audit
    const { installed } = belief
    const different = await audit.differences(this.#mode, this.#kernel, installed)
    if (this.#audit !== audit || this.#belief?.installed !== installed) return 'unknown'
    this.#audit = undefined
    for (const [unit, text] of different) {
      if (text === undefined) installed.delete(unit)
      else installed.set(unit, text)
      this.#doubts.units.add(unit)
    }
    return different.size === 0 ? 'confirmed' : 'corrected'
  }

  /** After a failure, when another program may have changed any of our rules, on SIGHUP. */
  forget(): void {
    this.#epoch++
    this.#belief = undefined
    this.#audit = undefined
    this.#doubts = noDoubts()
  }

  /** Another program has touched these parts: the next run reads them, or writes them again. */
  doubt(parts: Iterable<Part>): void {
    for (const part of parts) this.#doubts.parts.add(part)
  }

  #takeDoubts(): Doubts {
    const doubts = this.#doubts
    this.#doubts = noDoubts()
    return doubts
  }

  /** The plan is applied: what is believed now, and what the plan shows of other programs. */
  #accept(
    epoch: number,
    installed: Map<Unit, string>,
    plan: Plan,
    { touched, isChecked, blocked, looked }: Foreign,
  ): Pick<Done, 'drift' | 'blocked'> {
    this.#unapplied = NO_UNITS
    const before = this.#last ?? NOTHING_BEFORE
    const drift = this.#last !== undefined && isChecked ? untouched(plan, touched.union(before.emptied)) : []
    const belief: Belief = {
      installed,
      emptied: before.emptied.difference(plan.remove).union(this.#mode.emptied?.(plan) ?? NO_UNITS),
      blocked: looked ? blocked : before.blocked,
    }
    this.#last = belief
    if (epoch === this.#epoch) this.#belief = belief
    const newly = looked ? [...blocked].filter(([unit]) => !before.blocked.has(unit)) : []
    return { drift, blocked: newly.map(([unit, by]) => ({ unit, by })) }
  }

  /** Of the units to delete, those that foreign rules jump to. */
  async #blockedIn({ remove }: Plan): Promise<ReadonlyMap<Unit, string>> {
    if (remove.size === 0 || this.#mode.foreignRules === undefined) return NONE_BLOCKED
    const foreignRules = await this.#mode.foreignRules(this.#kernel)
    return new Map([...foreignRules].filter(([unit]) => remove.has(unit)))
  }
}

interface Foreign {
  readonly touched: ReadonlySet<Unit>
  /** All units were compared, or some that were in doubt. */
  readonly isChecked: boolean
  readonly looked: boolean
  readonly blocked: ReadonlyMap<Unit, string>
}

const NO_UNITS: ReadonlySet<Unit> = new Set()
const NONE_BLOCKED: ReadonlyMap<Unit, string> = new Map()
const NOTHING_BEFORE: Pick<Belief, 'emptied' | 'blocked'> = { emptied: NO_UNITS, blocked: NONE_BLOCKED }

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
