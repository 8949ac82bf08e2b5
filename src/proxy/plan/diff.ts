import { LINGERING, type Plan, type Ruleset, type Unit } from '#proxy/modes/mode.ts'

// Installed rules, wanted rules → what must change. Full and partial sync are both this.

export const EMPTY: Ruleset = new Map()

/** Compares the touched units only, where the rest is known to be equal; without `touched`, all units. */
export function diff(installed: Ruleset, wanted: Ruleset, touched?: ReadonlySet<Unit>): Plan {
  const add = new Map<Unit, string>()
  const change = new Map<Unit, string>()
  const before = new Map<Unit, string>()
  const remove = new Set<Unit>()
  const compare = (unit: Unit): void => {
    const found = installed.get(unit)
    const after = wanted.get(unit)
    if (after === undefined) {
      if (found !== undefined) remove.add(unit)
    } else if (found === undefined) {
      if (after !== LINGERING) add.set(unit, after)
    } else if (found !== after) {
      change.set(unit, after)
      before.set(unit, found)
    }
  }
  if (touched !== undefined) for (const unit of touched) compare(unit)
  else {
    for (const unit of wanted.keys()) compare(unit)
    for (const unit of installed.keys()) if (!wanted.has(unit)) remove.add(unit)
  }
  return { add, change, before, remove }
}

export function isEmpty({ add, change, remove }: Plan): boolean {
  return add.size + change.size + remove.size === 0
}

/** The installed rules once every command of the plan has succeeded; changes the map it is given. */
export function applied(installed: Map<Unit, string>, { add, change, remove }: Plan): Map<Unit, string> {
  for (const [unit, text] of add) installed.set(unit, text)
  for (const [unit, text] of change) installed.set(unit, text)
  for (const unit of remove) installed.delete(unit)
  return installed
}

/**
 * Blocked units cannot be deleted: the plan empties them instead, and they stay installed until a later sync deletes
 * them.
 */
export function emptied(plan: Plan, blocked: Iterable<Unit>, installed: Ruleset): Plan {
  const { add, remove } = plan
  const kept = new Set([...blocked].filter(unit => remove.has(unit)))
  if (kept.size === 0) return plan
  const full = [...kept].filter(unit => installed.get(unit) !== '')
  const change = new Map([...plan.change, ...full.map(unit => [unit, ''] as const)])
  const before = new Map([...plan.before, ...full.map(unit => [unit, installed.get(unit)!] as const)])
  return { add, change, before, remove: remove.difference(kept) }
}
