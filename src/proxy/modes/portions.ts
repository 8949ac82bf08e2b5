import type { Plan, Unit } from './mode.ts'

// A very large plan → several, carried out one after another: the document of each is drawn when the last one stands, and what
// all Services come to is never in memory as one text.

export interface Portions {
  /** New units that no rule leads to before the rest of the plan stands, piece by piece. */
  readonly ahead: readonly (readonly Unit[])[]
  /** New units that lead to what stands by then. */
  readonly after?: readonly (readonly Unit[])[]
}

export function* portionsOf(plan: Plan, { ahead, after = [] }: Portions): Iterable<Plan> {
  for (const units of ahead) yield additions(plan, units)
  const apart = new Set([...ahead, ...after].flat())
  yield { ...plan, add: new Map([...plan.add].filter(([unit]) => !apart.has(unit))) }
  for (const units of after) yield additions(plan, units)
}

export function pieces(units: readonly Unit[], size: number): readonly (readonly Unit[])[] {
  const found: (readonly Unit[])[] = []
  for (let i = 0; i < units.length; i += size) found.push(units.slice(i, i + size))
  return found
}

function additions({ add }: Plan, units: readonly Unit[]): Plan {
  return {
    add: new Map(units.map(unit => [unit, add.get(unit)!])),
    change: new Map(),
    before: new Map(),
    remove: new Set(),
  }
}
