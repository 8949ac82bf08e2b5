import type { Mode, Part, Plan, Ruleset, Unit } from '#proxy/modes/mode.ts'
import type { Book } from '#proxy/plan/book.ts'
import { applied, diff, emptied } from '#proxy/plan/diff.ts'
import type { Clock, Kernel } from '#system/ports.ts'
import { accepted } from './belief/accepted.ts'
import { Audit, noteDifferences } from './belief/audit.ts'
import {
  type Belief,
  type Doubts,
  NO_UNITS,
  NONE_BLOCKED,
  NOTHING_BEFORE,
  noDoubts,
  resumed,
  rewriting,
} from './belief/belief.ts'
import type { Fingerprints } from './belief/fingerprints.ts'
import type { KeptUnits } from './belief/kept.ts'
import { type Known, known, partsOf } from './belief/known.ts'
import { BLIND, type SyncOptions, type SyncSight } from './belief/sight.ts'
import { carryOut } from './carry-out.ts'
import { blockedIn, type Done, type Foreign, merged, unitsOf } from './done.ts'
import { Isolation, isRefusal, type Refused } from './refusals/isolation.ts'

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
  readonly #sight: SyncSight
  readonly #fingerprints: Fingerprints | undefined
  /** What a former process had, not compared with the kernel yet. */
  #remembered: ReadonlyMap<Unit, string> | undefined
  #isRunning = false
  /** Whether the last attempt asked for foreign rules that lead to what it was to delete. */
  #hasAsked = false
  #failures = 0
  /** The kernel had no rules of ours when it was read last. */
  #foundNothing = false

  constructor(mode: Mode, kernel: Kernel, { clock, sight = BLIND, fingerprints }: SyncOptions) {
    this.#mode = mode
    this.#kernel = kernel
    this.#clock = clock
    this.#sight = sight
    this.#fingerprints = fingerprints
  }

  /** False where the next run reads the kernel. */
  get isKnown(): boolean {
    return this.#belief !== undefined
  }

  /** Throws where a command fails, and not because of a few owners; after two such failures nothing is believed. */
  async run(book: Book): Promise<Done> {
    const isSure = this.#belief === undefined || this.#sight.isExact
    this.#isRunning = true
    try {
      return this.#succeeded(book, [await this.#written(book)], [])
    } catch (error) {
      if (!isRefusal(error)) throw this.#unresolved(error)
      return await (isSure ? this.#isolated(book, error) : this.#again(book))
    } finally {
      this.#isRunning = false
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
    const done = isolation.done.map(one => ({ ...one, corrected: true }))
    return this.#succeeded(book, done, isolation.refused)
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
    try {
      return await this.#attempt(book, 'hope')
    } catch (error) {
      const plan = this.#plan
      if (plan === undefined || this.#hasAsked) throw error
      // A foreign rule may jump to a chain that was to be deleted: no failure, and only reading the kernel shows it.
      const blocked = await this.#blockedIn(plan).catch(() => NONE_BLOCKED)
      if (blocked.size === 0) throw error
      this.#belief = undefined
      return await this.#attempt(book, 'ask')
    }
  }

  async #attempt(book: Book, foreignRules: 'ask' | 'hope'): Promise<Done> {
    this.#plan = undefined
    const startedAt = this.#clock.now()
    const epoch = this.#epoch
    const doubts = this.#doubts
    this.#doubts = noDoubts()
    const found = await this.#known(doubts, book).catch(error => this.#lost(error))
    const { installed, settled, isNew: looked } = found
    const readAt = this.#clock.now()
    const touched = this.#unapplied.union(book.takeTouched())
    this.#unapplied = touched
    const compared = looked ? undefined : touched.union(settled.compare)
    const wanted = rewriting(diff(installed, book.rules, compared), settled.rewrite, book.rules)
    this.#hasAsked = found.isListed || foreignRules === 'ask'
    const blocked = this.#hasAsked ? await this.#blockedIn(wanted).catch(error => this.#lost(error)) : NONE_BLOCKED
    const plan = emptied(wanted, blocked.keys(), installed)
    this.#plan = plan
    this.#audit?.wrote(unitsOf(plan))
    this.#outdate(unitsOf(plan))
    const plannedAt = this.#clock.now()
    const carriedOut = await carryOut(plan, this.#mode, this.#kernel).catch(error =>
      this.#failed(error, plan, installed, epoch),
    )
    const doubted = doubts.parts.size
    const isChecked = looked || doubted + doubts.units.size > 0
    const corrected = isChecked || doubts.unknown.size > 0
    const isBelieved = epoch === this.#epoch
    const foreign = { touched, unknown: settled.unknown, hasAsked: this.#hasAsked, isChecked, blocked }
    const reported = this.#accept(epoch, applied(installed, plan), plan, foreign)
    const stages = { read: readAt - startedAt, plan: plannedAt - readAt, write: this.#clock.now() - plannedAt }
    return { looked: looked && isBelieved, doubted, corrected, plan, ...reported, refused: [], ...carriedOut, stages }
  }

  /** What the plan was about is in doubt. Where it cannot be known alone, or other programs go unheard, nothing is believed. */
  #failed(error: unknown, plan: Plan, installed: Map<Unit, string>, epoch: number): never {
    const parts = this.#mode.watches?.parts
    const touched = unitsOf(plan).map(unit => parts?.of(unit))
    if (epoch !== this.#epoch || !this.#sight.isExact || touched.includes(undefined)) return this.#lost(error)
    this.#belief = { ...(this.#last ?? NOTHING_BEFORE), installed }
    this.doubt(touched.filter(part => part !== undefined))
    throw error
  }

  #lost(error: unknown): never {
    this.#belief = undefined
    throw error
  }

  /** What a process kept that has ended: the kernel has just this, or some of it, as fingerprints will show. */
  resume(kept: KeptUnits, { rules }: Book, howMuch: 'all' | 'some'): void {
    const { installed, doubts } = resumed(kept, rules)
    if (howMuch === 'some') this.#remembered = installed
    else {
      this.#belief = { ...NOTHING_BEFORE, installed }
      for (const unit of doubts.units) this.#doubts.units.add(unit)
    }
  }

  /** Undefined where nothing is believed, some of it is in doubt, or a run goes on. */
  get certain(): Ruleset | undefined {
    const { parts, unknown, units } = this.#doubts
    const isSettled = parts.size + unknown.size + units.size === 0 && this.#plan === undefined && !this.#isRunning
    // What could only be emptied is in the kernel all the same.
    return isSettled && this.#belief?.emptied.size === 0 ? this.#belief.installed : undefined
  }

  async #known(doubts: Doubts, { rules }: Book): Promise<Known> {
    const remembered = this.#last?.installed ?? this.#remembered
    const found = await known(this.#belief?.installed, doubts, { ...this.#about, wanted: rules, remembered })
    if (found.isNew) this.#foundNothing = found.installed.size === 0
    return found
  }

  get #about() {
    return { mode: this.#mode, kernel: this.#kernel, dump: this.#sight.dump(), fingerprints: this.#fingerprints }
  }

  #blockedIn(plan: Plan): Promise<ReadonlyMap<Unit, string>> {
    return blockedIn(plan, this.#mode, { kernel: this.#kernel, dump: this.#sight.dump() })
  }

  #outdate(units: Iterable<Unit>): void {
    this.#fingerprints?.outdate(partsOf(units, this.#mode.watches?.parts))
  }

  /**
   * The audit: reads the kernel while runs go on, which may take a minute on a large node. Where units differ from what is
   * believed, and no run has written them meanwhile, the belief is corrected, and the next run writes them. 'unknown' where
   * nothing is believed: the next run reads by itself.
   */
  async audit(): Promise<'confirmed' | 'corrected' | 'unknown'> {
    const belief = this.#belief
    if (belief === undefined) return 'unknown'
    const { installed } = belief
    const audit = new Audit({ ...this.#about, installed })
    this.#audit = audit
    const different = await audit.differences()
    if (this.#audit !== audit || this.#belief?.installed !== installed) return 'unknown'
    this.#audit = undefined
    this.#outdate(different.units.keys())
    return noteDifferences(different, installed, this.#doubts)
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
    foreign: Foreign,
  ): Pick<Done, 'drift' | 'unknown' | 'blocked'> {
    this.#unapplied = NO_UNITS
    const { belief, ...shown } = accepted(plan, foreign, { last: this.#last, installed, mode: this.#mode })
    this.#last = belief
    if (epoch === this.#epoch) this.#belief = belief
    return shown
  }
}
