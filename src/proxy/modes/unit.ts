// Units and parts of the kernel's rules, as types of their own. At run time each is its text: a large node has 100,000, they are
// keys of maps, and the same text is the same unit. To the compiler they are symbols: it lets any other type into a template,
// and objects into a comparison. Which files may cross is a list in test/house/units.test.ts.

declare const UNIT: unique symbol
declare const PART: unique symbol

/** The smallest thing the kernel replaces in one go: a chain, a jump, a map element, a virtual server. */
export type Unit = symbol & { readonly [UNIT]: true }

/** A part of the kernel's rules that can be read alone, and written whatever stands there: a chain, by table and name. */
export type Part = symbol & { readonly [PART]: true }

export function asUnit(text: string): Unit {
  return text as unknown as Unit
}

export function asPart(text: string): Part {
  return text as unknown as Part
}

export function textOf(one: Unit | Part): string {
  return one as unknown as string
}
