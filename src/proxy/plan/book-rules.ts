import type { Ruleset, Unit } from '#proxy/modes/mode.ts'

// The text of each unit, found when it is asked for → a ruleset. A map of its own would weigh as much as all names in it.

export interface UnitTexts {
  readonly units: ReadonlyMap<Unit, unknown>
  textOf(unit: Unit): string | undefined
}

export class BookRules implements Ruleset {
  readonly #texts: UnitTexts

  constructor(texts: UnitTexts) {
    this.#texts = texts
  }

  get size(): number {
    return this.#texts.units.size
  }

  has(unit: Unit): boolean {
    return this.#texts.units.has(unit)
  }

  get(unit: Unit): string | undefined {
    return this.#texts.textOf(unit)
  }

  keys(): MapIterator<Unit> {
    return this.#texts.units.keys()
  }

  values(): MapIterator<string> {
    return this.keys().map(unit => this.get(unit)!)
  }

  entries(): MapIterator<[Unit, string]> {
    return this.keys().map((unit): [Unit, string] => [unit, this.get(unit)!])
  }

  [Symbol.iterator](): MapIterator<[Unit, string]> {
    return this.entries()
  }

  forEach(visit: (text: string, unit: Unit, rules: Ruleset) => void): void {
    for (const [unit, text] of this) visit(text, unit, this)
  }
}
