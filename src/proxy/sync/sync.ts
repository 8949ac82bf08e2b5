import type { Mode, Part, Plan, Ruleset, Unit } from '#proxy/modes/mode.ts'
import type { Book } from '#proxy/plan/book.ts'
import { applied, diff, emptied } from '#proxy/plan/diff.ts'
import { must } from '#system/must.ts'
import type { Clock, Kernel } from '#system/ports.ts'
import { Audit } from './audit.ts'
import {
  adopted,
  type Belief,
  type Doubts,
  NO_UNITS,
  NONE_BLOCKED,
  NOTHING_BEFORE,
  noDoubts,
  resumed,
  rewriting,
  type Settled,
  settle,
} from './belief.ts'
import { blockedIn, type Done, type Foreign, merged, sizeOf, unitsOf, untouched } from './done.ts'
import { Isolation, isRefusal, type Refused } from './isolation.ts'
import type { KeptUnits } from './kept.ts'

// A book → a kernel with the same rules. There is no full sync: there is what is believed to be installed, if anything.

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
  /** What the run that goes on has set out to write, or the last one that failed. */
  #plan: Plan | undefined
  /** Grows with each call of `forget`: what was read under an earlier number is not believed. */
  #epoch = 0
  /** True where every commit to the ruleset is heard, so that what is believed is what the kernel has. */
  readonly #isExact: () => boolean
  #failures = 0
  /** The kernel had no rules of ours when it was read last. */
  #foundNothing = false

  constructor(mode: Mode, kernel: Kernel, clock: Pick<Clock, 'now'>, isExact: () => boolean = () => false) {
    this.#mode = mode
    this.#kernel = kernel
    this.#clock = clock
    this.#isExact = isExact
  }

  /** False where the next run reads the kernel. */
  get isKnown(): boolean {
    return this.#belief !== undefined
  }

  /** Throws where a command fails, and not because of a few owners; after two such failures nothing is believed. */
  async run(book: Book): Promise<Done> {
    const isSure = this.#belief === undefined || this.#isExact()
    try {
      return this.#succeeded(book, [await this.#written(book)], [])
    } catch (error) {
      if (!isRefusal(error)) throw this.#unresolved(error)
      return isSure ? this.#isolated(book, error) : this.#again(book)
    }
  }

  /** What was believed may be the reason: all is read. */
  #again(book: Book): Promise<Done> {
    this.#belief = undefined
    return this.run(book)
  }

  async #isolated(book: Book, error: unknown): Promise<Done> {
    const mayHalve = this.#last !== undefined || this.#foundNothing
    const isolation = new Isolation({ book, attempt: () => this.#written(book), mayHalve })
    if (!(await isolation.run(error))) throw this.#unresolved(error)
    return this.#succeeded(book, isolation.done, isolation.refused)
  }

  #unresolved(error: unknown): unknown {
    if (++this.#failures > 1) this.#belief = undefined
    return error
  }

  #succeeded(book: Book, done: readonly Done[], refused: readonly Refused[]): Done {
    book.accept()
    this.#plan = undefined
    this.#failures = 0
    return { ...merged(done), refused }
  }

  async #written(book: Book): Promise<Done> {
    const isKnown = this.#belief !== undefined
    try {
      return await this.#attempt(book)
    } catch (error) {
      const plan = this.#plan
      if (!isKnown || plan === undefined) throw error
      // A foreign rule may jump to a chain that was to be deleted: no failure, and only reading the kernel shows it.
      const blocked = await blockedIn(plan, this.#mode, this.#kernel).catch(() => NONE_BLOCKED)
      if (blocked.size === 0) throw error
      this.#belief = undefined
      return await this.#attempt(book)
    }
  }

  async #attempt(book: Book): Promise<Done> {
    this.#plan = undefined
    const startedAt = this.#clock.now()
    const epoch = this.#epoch
    const doubts = this.#doubts
    this.#doubts = noDoubts()
    const { installed, settled } = await this.#known(doubts, book).catch(error => this.#lost(error))
    const looked = settled === undefined
    const readAt = this.#clock.now()
    const touched = this.#unapplied.union(book.takeTouched())
    this.#unapplied = touched
    const wanted = looked
      ? diff(installed, book.rules)
      : rewriting(diff(installed, book.rules, touched.union(settled.compare)), settled.rewrite, book.rules)
    const blocked = looked ? await blockedIn(wanted, this.#mode, this.#kernel) : NONE_BLOCKED
    const plan = emptied(wanted, blocked.keys(), installed)
    this.#plan = plan
    this.#audit?.wrote(unitsOf(plan))
    const commands = this.#mode.write(plan)
    const plannedAt = this.#clock.now()
    for (const command of commands) {
      await must(this.#kernel, command).catch(error => this.#failed(error, plan, installed, epoch))
    }
    const doubted = doubts.parts.size
    const foreign = { touched, isChecked: looked || doubted + doubts.units.size > 0, blocked, looked }
    const reported = this.#accept(epoch, applied(installed, plan), plan, foreign)
    const stages = { read: readAt - startedAt, plan: plannedAt - readAt, write: this.#clock.now() - plannedAt }
    return {
      looked,
      doubted,
      plan,
      ...reported,
      refused: [],
      commands: commands.length,
      bytes: sizeOf(commands),
      stages,
    }
  }

  /** What the plan was about is in doubt. Where it cannot be known alone, or other programs go unheard, nothing is believed. */
  #failed(error: unknown, plan: Plan, installed: Map<Unit, string>, epoch: number): never {
    const parts = this.#mode.watches?.parts
    const touched = unitsOf(plan).map(unit => parts?.of(unit))
    if (epoch !== this.#epoch || !this.#isExact() || touched.includes(undefined)) return this.#lost(error)
    this.#belief = { ...(this.#last ?? NOTHING_BEFORE), installed }
    this.doubt(touched.filter(part => part !== undefined))
    throw error
  }

  #lost(error: unknown): never {
    this.#belief = undefined
    throw error
  }

  /** Believes what a process kept that has ended. */
  resume(kept: KeptUnits, { rules }: Book): void {
    const { installed, doubts } = resumed(kept, rules)
    this.#belief = { ...NOTHING_BEFORE, installed }
    this.#doubts = doubts
  }

  /** Undefined where nothing is believed, some of it is in doubt, or a run goes on. */
  get certain(): Ruleset | undefined {
    const { parts, units } = this.#doubts
    return parts.size + units.size === 0 && this.#plan === undefined ? this.#belief?.installed : undefined
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
    const found = await this.#mode.read(this.#kernel)
    this.#foundNothing = found.size === 0
    return { installed: adopted(found, rules) }
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
}
