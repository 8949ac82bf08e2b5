import type { Entry, Ruleset, Unit } from '#proxy/modes/mode.ts'
import { BookRules } from './book-rules.ts'

// Entries of all owners → the rules the kernel should have, unit by unit. The same entries give the same rules,
// whatever order they were put in.

interface SeveralOwners {
  readonly shared: boolean
  /** By name, kept sorted: a large shared unit is joined often and must not be sorted each time. */
  readonly owners: string[]
}

type Entries = ReadonlyMap<Unit, string>

const NONE: Entries = new Map()

/** Most units have one owner: its name is stored instead of a list; 100,000 lists weigh more than the rules. */
type Owners = string | SeveralOwners

/** Owner of the rules that stand without any Service; sorts last, so its part of a shared unit comes last. */
export const BASE_OWNER = '~base'

export class Book {
  readonly #units = new Map<Unit, Owners>()
  readonly #owned = new Map<string, ReadonlyMap<Unit, string>>()
  /** Of units with several owners: their texts, joined. */
  readonly #joined = new Map<Unit, string>()
  /** Every unit, as the kernel should have it, now and after later changes. */
  readonly rules: Ruleset = new BookRules({ units: this.#units, textOf: unit => this.#textOf(unit) })
  #touched = new Set<Unit>()
  /** Of owners whose entries have changed since the kernel last took all: the entries it took. */
  readonly #taken = new Map<string, Entries>()
  /** What owners want whose entries the kernel refuses: the book has those that it took last. */
  readonly #withheld = new Map<string, Entries>()
  readonly #shared = new Set<Unit>()

  /** Replaces all entries of this owner. */
  put(owner: string, entries: readonly Entry[]): void {
    this.#withheld.delete(owner)
    if (!this.#taken.has(owner)) this.#taken.set(owner, this.#owned.get(owner) ?? NONE)
    this.#replace(owner, entries)
  }

  #replace(owner: string, entries: readonly Entry[]): void {
    const before = this.#owned.get(owner)
    const after = new Map<Unit, string>()
    for (const { unit, text, shared } of entries) {
      after.set(unit, text)
      if (shared) this.#shared.add(unit)
      if (before?.get(unit) !== text) this.#share(owner, unit, shared === true)
    }
    for (const unit of before?.keys() ?? []) if (!after.has(unit)) this.#withdraw(owner, unit)
    if (after.size === 0) this.#owned.delete(owner)
    else this.#owned.set(owner, after)
  }

  remove(owner: string): void {
    this.put(owner, [])
  }

  /** The kernel has taken the book as it is. */
  accept(): void {
    this.#taken.clear()
  }

  /** Owners whose entries the kernel has not taken yet. */
  changed(): IterableIterator<string> {
    return this.#taken.keys()
  }

  /** What this owner has in the book. */
  entriesOf(owner: string): ReadonlyMap<Unit, string> {
    return this.#owned.get(owner) ?? NONE
  }

  /** The kernel refuses what this owner wants: it keeps what the kernel took last, or nothing. */
  withhold(owner: string): void {
    this.#withheld.set(owner, this.entriesOf(owner))
    this.#replace(owner, this.#asEntries(this.#taken.get(owner) ?? NONE))
  }

  /** What was withheld is tried again. */
  release(owner: string): void {
    const wanted = this.#withheld.get(owner)
    if (wanted !== undefined) this.put(owner, this.#asEntries(wanted))
  }

  /** Owners that do not have what they want, with what that is. */
  get withheld(): ReadonlyMap<string, ReadonlyMap<Unit, string>> {
    return this.#withheld
  }

  #asEntries(entries: Entries): readonly Entry[] {
    return [...entries].map(([unit, text]) => ({
      unit,
      text,
      ...(this.#shared.has(unit) && { shared: true as const }),
    }))
  }

  owners(): IterableIterator<string> {
    return this.#owned.keys()
  }

  /** The units that may have changed since the last call. A hint: losing it costs a comparison, never a rule. */
  takeTouched(): ReadonlySet<Unit> {
    const touched = this.#touched
    this.#touched = new Set()
    return touched
  }

  #share(owner: string, unit: Unit, shared: boolean): void {
    const present = this.#units.get(unit)
    if (present === undefined) this.#units.set(unit, owner)
    else if (present !== owner) {
      const several = typeof present === 'string' ? { shared, owners: [present] } : present
      this.#units.set(unit, several)
      const at = position(several.owners, owner)
      if (several.owners[at] !== owner) several.owners.splice(at, 0, owner)
    }
    this.#touch(unit)
  }

  #withdraw(owner: string, unit: Unit): void {
    const present = this.#units.get(unit)!
    if (typeof present !== 'string') present.owners.splice(position(present.owners, owner), 1)
    if (typeof present === 'string' || present.owners.length === 0) this.#units.delete(unit)
    this.#touch(unit)
  }

  /** Where several owners put a unit that is not shared, the first by name counts, then the next one. */
  #textOf(unit: Unit): string | undefined {
    const present = this.#units.get(unit)
    if (present === undefined) return undefined
    const of = (owner: string): string => this.#owned.get(owner)!.get(unit)!
    if (typeof present === 'string') return of(present)
    const { shared, owners } = present
    if (!shared || owners.length === 1) return of(owners[0]!)
    const text = this.#joined.get(unit) ?? joined(owners.map(of))
    this.#joined.set(unit, text)
    return text
  }

  #touch(unit: Unit): void {
    this.#touched.add(unit)
    this.#joined.delete(unit)
  }
}

/** A line that several owners put into a shared unit stands once. */
function joined(texts: readonly string[]): string {
  const lines = new Set<string>()
  for (const text of texts) {
    if (text.includes('\n')) for (const line of text.split('\n')) lines.add(line)
    else if (text !== '') lines.add(text)
  }
  return [...lines].join('\n')
}

/** The index of `owner` among sorted owners, or where it would be inserted. */
function position(owners: readonly string[], owner: string): number {
  let low = 0
  let high = owners.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (owners[middle]! < owner) low = middle + 1
    else high = middle
  }
  return low
}
