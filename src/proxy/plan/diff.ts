import { LINGERING, type Plan, type Ruleset, type Unit } from '#proxy/modes/mode.ts'

// What is there, what is wanted → what must change. Full and partial sync are both this.

export const EMPTY: Ruleset = new Map()

/** `touched` may narrow the search while memory is trusted; without it everything is compared. */
export function diff(installed: Ruleset, wanted: Ruleset, touched?: ReadonlySet<Unit>): Plan {
  const add = new Map<Unit, string>()
  const change = new Map<Unit, string>()
  const remove = new Set<Unit>()
  const compare = (unit: Unit): void => {
    const before = installed.get(unit)
    const after = wanted.get(unit)
    if (after === undefined) {
      if (before !== undefined) remove.add(unit)
    } else if (before === undefined) {
      if (after !== LINGERING) add.set(unit, after)
    } else if (before !== after) change.set(unit, after)
  }
  if (touched !== undefined) for (const unit of touched) compare(unit)
  else {
    for (const unit of wanted.keys()) compare(unit)
    for (const unit of installed.keys()) if (!wanted.has(unit)) remove.add(unit)
  }
  return { add, change, remove }
}

export function isEmpty({ add, change, remove }: Plan): boolean {
  return add.size + change.size + remove.size === 0
}

/** What is installed once every command of the plan has succeeded. */
export function settle(installed: Map<Unit, string>, { add, change, remove }: Plan): Map<Unit, string> {
  for (const [unit, text] of add) installed.set(unit, text)
  for (const [unit, text] of change) installed.set(unit, text)
  for (const unit of remove) installed.delete(unit)
  return installed
}

/** What somebody else holds on to cannot go: it is emptied instead, and stays in the books until the next look. */
export function park({ add, change, remove }: Plan, held: Iterable<Unit>, installed: Ruleset): Plan {
  const kept = new Set([...held].filter(unit => remove.has(unit)))
  if (kept.size === 0) return { add, change, remove }
  const emptied = [...kept].filter(unit => installed.get(unit) !== '').map(unit => [unit, ''] as const)
  return { add, change: new Map([...change, ...emptied]), remove: remove.difference(kept) }
}
