import type { Plan, Ruleset, Unit } from '#proxy/modes/mode.ts'
import { tableOf } from './units.ts'

// The filter table refuses clients, nat leads them to endpoints, and no restore changes both at once. A refusal matters
// only where nat leads nowhere: so one that comes is written before nat, and one that goes is deleted after it. In the
// other order there is a moment (27 ms of each first endpoint) in which a SYN is neither refused nor led to an endpoint:
// the client repeats it a second later, and conntrack sends the repetition after it.

export interface FilterSteps {
  /** Chains as they are while nat changes, with the lines that come and those that go. */
  readonly beforeNat: Ruleset
  /** Chains without the lines that go. */
  readonly afterNat: Ruleset
}

/** A chain in which lines only come, or only go, is written once, and so is every chain where nat does not change. */
export function filterSteps(plan: Plan): FilterSteps {
  const beforeNat = new Map([...plan.add].filter(([unit]) => isFilter(unit)))
  const afterNat = new Map<Unit, string>()
  const natStays = ![...plan.add.keys(), ...plan.change.keys(), ...plan.remove].some(isNat)
  for (const [unit, text] of plan.change) {
    if (!isFilter(unit)) continue
    const [found, wanted] = [linesOf(plan.before.get(unit) ?? ''), linesOf(text)]
    const going = found.difference(wanted)
    if (natStays || going.size === 0) beforeNat.set(unit, text)
    else {
      if (!wanted.isSubsetOf(found)) beforeNat.set(unit, [...wanted, ...going].join('\n'))
      afterNat.set(unit, text)
    }
  }
  return { beforeNat, afterNat }
}

function isFilter(unit: Unit): boolean {
  return tableOf(unit) === 'filter'
}

function isNat(unit: Unit): boolean {
  return tableOf(unit) === 'nat'
}

function linesOf(text: string): ReadonlySet<string> {
  return new Set(text === '' ? [] : text.split('\n'))
}
