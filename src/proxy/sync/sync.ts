import type { Mode, Plan, Ruleset, Unit } from '#proxy/modes/mode.ts'
import type { Book } from '#proxy/plan/book.ts'
import { diff, park, settle } from '#proxy/plan/diff.ts'
import { must } from '#system/must.ts'
import type { Clock, Command, Kernel } from '#system/ports.ts'
import type { Blocked } from './report.ts'

// A book → a kernel that says the same. There is no full sync: only what we believe, and whether we believe anything.

export interface Done {
  readonly looked: boolean
  readonly plan: Plan
  /** What differed although nobody here had asked for a change: somebody else was there. Empty at the first look. */
  readonly drift: readonly Unit[]
  /** What could not go and was not told of before. */
  readonly blocked: readonly Blocked[]
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
  /** What strangers hold on to, by the last look that asked. */
  #blocked: ReadonlyMap<Unit, string> = NOTHING_HELD
  /** What we could only empty, and so still stands: that it does is nobody else's doing. */
  #emptied: ReadonlySet<Unit> = new Set()
  /** What runs have written, or were about to, since somebody began to look beside them. */
  #meanwhile: Set<Unit> | undefined
  /** Counts how often we were told to forget: what was learned before the last time is worth nothing. */
  #doubts = 0

  constructor(mode: Mode, kernel: Kernel, clock: Pick<Clock, 'now'>) {
    this.#mode = mode
    this.#kernel = kernel
    this.#clock = clock
  }

  /** Throws where a command fails; then nothing is believed, and the next run looks first. */
  async run(book: Book): Promise<Done> {
    const believed = this.#installed
    try {
      return await this.#attempt(book)
    } catch (error) {
      if (believed === undefined) throw error
      // A stranger's rule may hold on to what was to go. Only a look tells of that, and then it is no reason to fail.
      const held = await this.#held(diff(believed, book.rules, this.#unsettled)).catch(() => NOTHING_HELD)
      if (held.size === 0) throw error
      return await this.#attempt(book)
    }
  }

  async #attempt(book: Book): Promise<Done> {
    const startedAt = this.#clock.now()
    const looked = this.#installed === undefined
    const doubts = this.#doubts
    const installed = this.#installed ?? adopted(await this.#mode.read(this.#kernel), book.rules)
    const readAt = this.#clock.now()
    const touched = this.#unsettled.union(book.takeTouched())
    this.#unsettled = touched
    const wanted = diff(installed, book.rules, looked ? undefined : touched)
    this.#installed = undefined
    const held = looked ? await this.#held(wanted) : NOTHING_HELD
    const plan = park(wanted, held.keys(), installed)
    for (const unit of unitsOf(plan)) this.#meanwhile?.add(unit)
    const commands = this.#mode.write(plan)
    const plannedAt = this.#clock.now()
    for (const command of commands) await must(this.#kernel, command)
    if (doubts === this.#doubts) this.#installed = settle(installed, plan)
    const stages = { read: readAt - startedAt, plan: plannedAt - readAt, write: this.#clock.now() - plannedAt }
    const done = { looked, commands: commands.length, bytes: sizeOf(commands), stages }
    return { ...done, plan, ...this.#settled(plan, { touched, looked, held }) }
  }

  /**
   * Looks at the kernel while runs go on, which may take a large one a minute. Whether anything is not as we believe that none
   * of them has touched meanwhile; where we believe nothing, the next run looks by itself.
   */
  async differs(): Promise<boolean> {
    const believed = this.#installed
    if (believed === undefined) return false
    const [doubts, meanwhile] = [this.#doubts, new Set<Unit>()]
    this.#meanwhile = meanwhile
    try {
      const found = await this.#mode.read(this.#kernel)
      return doubts === this.#doubts && unitsOf(diff(found, believed)).some(unit => !meanwhile.has(unit))
    } finally {
      this.#meanwhile = undefined
    }
  }

  /** All of it stands: what this tells of others, and what is remembered of it. */
  #settled(plan: Plan, { touched, looked, held }: Settling): Pick<Done, 'drift' | 'blocked'> {
    this.#unsettled = new Set()
    const drift = this.#hasSettled && looked ? foreign(plan, touched.union(this.#emptied)) : []
    this.#emptied = this.#emptied.difference(plan.remove).union(this.#mode.emptied?.(plan) ?? NOTHING)
    this.#hasSettled = true
    return { drift, blocked: looked ? this.#news(held) : [] }
  }

  /** Of what is to go: what cannot, and why. */
  async #held({ remove }: Plan): Promise<ReadonlyMap<Unit, string>> {
    if (remove.size === 0 || this.#mode.foreignRules === undefined) return NOTHING_HELD
    const held = await this.#mode.foreignRules(this.#kernel)
    return new Map([...held].filter(([unit]) => remove.has(unit)))
  }

  #news(held: ReadonlyMap<Unit, string>): readonly Blocked[] {
    const before = this.#blocked
    this.#blocked = held
    return [...held].filter(([unit]) => !before.has(unit)).map(([unit, by]) => ({ unit, by }))
  }

  /** After a failure, when someone else touched the kernel, on SIGHUP. */
  forget(): void {
    this.#doubts++
    this.#installed = undefined
  }
}

interface Settling {
  readonly touched: ReadonlySet<Unit>
  readonly looked: boolean
  readonly held: ReadonlyMap<Unit, string>
}

const NOTHING: ReadonlySet<Unit> = new Set()
const NOTHING_HELD: ReadonlyMap<Unit, string> = new Map()

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

function foreign(plan: Plan, touched: ReadonlySet<Unit>): readonly Unit[] {
  return unitsOf(plan).filter(unit => !touched.has(unit))
}

function unitsOf({ add, change, remove }: Plan): readonly Unit[] {
  return [...add.keys(), ...change.keys(), ...remove]
}
