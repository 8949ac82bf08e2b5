import type { Part, Parts, Plan, Ruleset, Unit } from '#proxy/modes/mode.ts'
import type { Kernel, RulesetDump } from '#system/ports.ts'
import { textNumber } from '#values/digest.ts'
import type { Fingerprints } from './fingerprints.ts'
import type { KeptUnits } from './kept.ts'

// What the kernel is believed to have, and which of it is in doubt since another program touched it.

export interface Belief {
  readonly installed: Map<Unit, string>
  /** Units this kernel could not delete in the same transaction: emptied, deleted by a later run, no drift. */
  readonly emptied: ReadonlySet<Unit>
  /** Units that foreign rules jump to, each with such a rule, as of the last read of them. */
  readonly blocked: ReadonlyMap<Unit, string>
}

/** Where both texts are equal, the book's own string: one cut from a listing keeps the whole listing in memory. */
export function adopted(found: Ruleset, wanted: Ruleset): Map<Unit, string> {
  const installed = new Map<Unit, string>()
  for (const [unit, text] of found) {
    const ours = wanted.get(unit)
    installed.set(unit, ours === text ? ours : text)
  }
  return installed
}

export const NO_UNITS: ReadonlySet<Unit> = new Set()
export const NONE_BLOCKED: ReadonlyMap<Unit, string> = new Map()
export const NOTHING_BEFORE: Pick<Belief, 'emptied' | 'blocked'> = { emptied: NO_UNITS, blocked: NONE_BLOCKED }

/** What was not read since another program may have changed it. */
export interface Doubts {
  readonly parts: Set<Part>
  /** Parts of which nothing is known, though no program is known to have touched them. */
  readonly unknown: Set<Part>
  /** Units whose text an audit found and corrected in the belief: they are compared with what is wanted. */
  readonly units: Set<Unit>
}

export function noDoubts(): Doubts {
  return { parts: new Set(), unknown: new Set(), units: new Set() }
}

/** What a process kept that has ended: which units there are, and the text of those that are as they are wanted now. */
export function resumed(kept: KeptUnits, wanted: Ruleset): { installed: Map<Unit, string>; doubts: Doubts } {
  const installed = new Map<Unit, string>()
  const doubts = noDoubts()
  for (const [unit, number] of kept) {
    const text = wanted.get(unit)
    const isSame = text !== undefined && textNumber(text) === number
    installed.set(unit, isSame ? text : UNKNOWN_TEXT)
    if (!isSame) doubts.units.add(unit)
  }
  return { installed, doubts }
}

/** No unit has this text. */
export const UNKNOWN_TEXT = '\0'

/** How a run settles doubts: some units are compared, some are written whatever stands there. */
export interface Settled {
  readonly compare: ReadonlySet<Unit>
  readonly rewrite: ReadonlySet<Unit>
  /** Of those to be written, units of which nothing is known: they are no drift. */
  readonly unknown: ReadonlySet<Unit>
}

/** Up to this many parts are read, 8 ms each; more are written again unread, which is right whatever stands there. */
const READ_ALONE = 16
/** Of up to this many the kernel is asked whether they have changed at all. */
const ASKED_ALONE = 256
/** Each takes a process of its own: beyond this many, one that reads everything is quicker. */
export const READ_AT_MOST = 64

/** Corrects the installed rules in the parts it reads; undefined where everything should be read. */
export async function settle(
  doubts: Doubts,
  { installed, wanted, parts, kernel, dump, fingerprints }: SettleParts,
): Promise<Settled | undefined> {
  const all = doubts.parts.union(doubts.unknown)
  const open = all.size > ASKED_ALONE ? all : (fingerprints?.unproven(all) ?? all)
  // Where fingerprints are compared, these parts are known to be others: what else there is to know of them costs a process each.
  const few = open.size <= READ_ALONE && fingerprints === undefined
  const read = new Set([...open].filter(part => few || parts.unitOf(part) === undefined))
  if (read.size > READ_AT_MOST) return undefined
  fingerprints?.outdate(open)
  const compare = new Set(doubts.units)
  if (read.size > 0) {
    const found = await parts.read(kernel, read, dump)
    if (found === undefined) return undefined
    for (const unit of installed.keys()) if (isIn(unit, read, parts)) compare.add(unit)
    for (const unit of wanted.keys()) if (isIn(unit, read, parts)) compare.add(unit)
    for (const unit of compare) if (isIn(unit, read, parts) && !found.has(unit)) installed.delete(unit)
    for (const [unit, text] of found) installed.set(unit, wanted.get(unit) === text ? wanted.get(unit)! : text)
    for (const unit of found.keys()) compare.add(unit)
  }
  const unread = open.difference(read)
  return {
    compare,
    rewrite: wholeUnits(unread, parts),
    unknown: wholeUnits(doubts.unknown.intersection(unread).difference(doubts.parts), parts),
  }
}

export interface SettleParts {
  readonly installed: Map<Unit, string>
  readonly wanted: Ruleset
  readonly parts: Parts
  readonly kernel: Kernel
  readonly dump?: RulesetDump | undefined
  readonly fingerprints?: Fingerprints | undefined
}

/**
 * What stands there is unknown, so nothing is said of it: a unit that is wanted comes as a new one, and of one that is not wanted
 * the document creates the chain and deletes it.
 */
export function rewriting(plan: Plan, rewrite: ReadonlySet<Unit>, wanted: Ruleset): Plan {
  const before = new Map([...plan.before].filter(([, text]) => text !== UNKNOWN_TEXT))
  if (rewrite.size === 0) return { ...plan, before }
  const [add, change] = [new Map(plan.add), new Map(plan.change)]
  const remove = new Set(plan.remove)
  for (const unit of rewrite) {
    const text = wanted.get(unit)
    if (text === undefined) remove.add(unit)
    else {
      add.set(unit, text)
      change.delete(unit)
      before.delete(unit)
    }
  }
  return { add, change, before, remove }
}

function wholeUnits(of: ReadonlySet<Part>, parts: Parts): ReadonlySet<Unit> {
  return new Set([...of].map(part => parts.unitOf(part)).filter(unit => unit !== undefined))
}

function isIn(unit: Unit, read: ReadonlySet<Part>, parts: Parts): boolean {
  const part = parts.of(unit)
  return part !== undefined && read.has(part)
}
