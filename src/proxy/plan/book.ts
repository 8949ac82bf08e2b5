import type { Entry, Ruleset, Unit } from '#proxy/modes/mode.ts'

// What everybody wants, unit by unit. The same entries give the same rules, whatever order they were put in.

interface Company {
  readonly shared: boolean
  /** By name, kept sorted: a large shared unit is joined often and must not be sorted each time. */
  readonly owners: string[]
}

/** Most units have a single owner, whose name will do: a hundred thousand companies of one would weigh more than the rules. */
type Holder = string | Company

/** Owner of what stands without any Service; sorts behind every service name, so its part of a shared unit comes last. */
export const BASE_OWNER = '~base'

export class Book {
  readonly #units = new Map<Unit, Holder>()
  readonly #owned = new Map<string, ReadonlyMap<Unit, string>>()
  readonly #rules = new Map<Unit, string>()
  readonly #stale = new Set<Unit>()
  #touched = new Set<Unit>()

  /** Replaces all that this owner wants. */
  put(owner: string, entries: readonly Entry[]): void {
    const before = this.#owned.get(owner)
    const after = new Map<Unit, string>()
    for (const { unit, text, shared } of entries) {
      after.set(unit, text)
      if (before?.get(unit) !== text) this.#share(owner, unit, shared === true)
    }
    for (const unit of before?.keys() ?? []) if (!after.has(unit)) this.#withdraw(owner, unit)
    if (after.size === 0) this.#owned.delete(owner)
    else this.#owned.set(owner, after)
  }

  remove(owner: string): void {
    this.put(owner, [])
  }

  owners(): IterableIterator<string> {
    return this.#owned.keys()
  }

  /** Everything wanted, as the kernel should have it. */
  get rules(): Ruleset {
    for (const unit of this.#stale) {
      const holder = this.#units.get(unit)
      if (holder === undefined) this.#rules.delete(unit)
      else this.#rules.set(unit, this.#textOf(unit, holder))
    }
    this.#stale.clear()
    return this.#rules
  }

  /** The units that may differ since the last time this was asked. A hint: losing it costs a comparison, never a rule. */
  takeTouched(): ReadonlySet<Unit> {
    const touched = this.#touched
    this.#touched = new Set()
    return touched
  }

  #share(owner: string, unit: Unit, shared: boolean): void {
    const holder = this.#units.get(unit)
    if (holder === undefined) this.#units.set(unit, owner)
    else if (holder !== owner) {
      const company = typeof holder === 'string' ? { shared, owners: [holder] } : holder
      this.#units.set(unit, company)
      const at = position(company.owners, owner)
      if (company.owners[at] !== owner) company.owners.splice(at, 0, owner)
    }
    this.#touch(unit)
  }

  #withdraw(owner: string, unit: Unit): void {
    const holder = this.#units.get(unit)!
    if (typeof holder !== 'string') holder.owners.splice(position(holder.owners, owner), 1)
    if (typeof holder === 'string' || holder.owners.length === 0) this.#units.delete(unit)
    this.#touch(unit)
  }

  /** Of several claims to a unit that is not shared, the first by name stands; the others wait behind it. */
  #textOf(unit: Unit, holder: Holder): string {
    const of = (owner: string): string => this.#owned.get(owner)!.get(unit)!
    if (typeof holder === 'string') return of(holder)
    const { shared, owners } = holder
    return shared && owners.length > 1 ? joined(owners.map(of)) : of(owners[0]!)
  }

  #touch(unit: Unit): void {
    this.#touched.add(unit)
    this.#stale.add(unit)
  }
}

/** A line that several owners want in a shared unit stands once. */
function joined(texts: readonly string[]): string {
  const lines = new Set<string>()
  for (const text of texts) {
    if (text.includes('\n')) for (const line of text.split('\n')) lines.add(line)
    else if (text !== '') lines.add(text)
  }
  return [...lines].join('\n')
}

/** Where `owner` stands, or would stand, among sorted owners. */
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
