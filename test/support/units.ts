import type { Part, Ruleset, Unit } from '#proxy/modes/mode.ts'
import { asPart, asUnit, textOf } from '#proxy/modes/unit.ts'

// Units from their text, and rules as text: what tests write down and compare.

export function unit(text: string): Unit {
  return asUnit(text)
}

export function part(text: string): Part {
  return asPart(text)
}

export function unitSet(...texts: readonly string[]): Set<Unit> {
  return new Set(texts.map(asUnit))
}

/** The text of each unit, by the text that names it. */
export function ruleset(texts: Readonly<Record<string, string>>): Map<Unit, string> {
  return new Map(Object.entries(texts).map(([name, text]) => [asUnit(name), text]))
}

export function unitText(of: Unit | Part): string {
  return textOf(of)
}

/** The same rules, with units as text. */
export function textsOf(rules: Ruleset): ReadonlyMap<string, string> {
  return new Map([...rules].map(([one, text]) => [textOf(one), text]))
}
