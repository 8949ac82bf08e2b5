import type { Ruleset } from '#proxy/modes/mode.ts'
import { chainUnit } from '#proxy/modes/nftables/names.ts'
import { act, GOES_ON, type Place, type Step } from './act.ts'
import type { Traveller } from './fields.ts'
import { rulesOf, type Statement, statementsOf } from './parse.ts'

// A packet at the head of a chain → every way it can go on from there.

export interface Outcome {
  readonly traveller: Traveller
  /** `on`: at its end the chain has decided nothing, and the packet goes on behind whatever led here. */
  readonly end: 'on' | 'accept' | 'drop' | 'reject'
}

export function walk(rules: Ruleset, chain: string, traveller: Traveller): readonly Outcome[] {
  const lines = rulesOf(rules.get(chainUnit(chain)) ?? '')
  const from = (i: number, who: Traveller): readonly Outcome[] => {
    const rule = lines[i]
    if (rule === undefined) return [{ traveller: who, end: 'on' }]
    const steps = carryOut({ rules, chain, rule }, statementsOf(rule), who)
    return steps.flatMap(step => follow(rules, step, after => from(i + 1, after)))
  }
  return from(0, traveller)
}

function follow(
  rules: Ruleset,
  { traveller, verdict: said }: Step,
  nextRule: (who: Traveller) => readonly Outcome[],
): readonly Outcome[] {
  const [verdict, target] = said.split(' ') as [string, string]
  switch (verdict) {
    case 'jump':
      return walk(rules, target, traveller).flatMap(one => (one.end === 'on' ? nextRule(one.traveller) : [one]))
    case 'goto':
      return walk(rules, target, traveller)
    case 'return':
      return [{ traveller, end: 'on' }]
    case 'accept':
    case 'drop':
    case 'reject':
      return [{ traveller, end: verdict }]
    default:
      return nextRule(traveller)
  }
}

/** The statements of a rule, until one decides or does not match. */
function carryOut(place: Place, statements: readonly Statement[], who: Traveller): readonly Step[] {
  const [first, ...rest] = statements
  if (first === undefined) return [{ traveller: who, verdict: GOES_ON }]
  return act(place, first, who).flatMap(step =>
    step.verdict === GOES_ON ? carryOut(place, rest, step.traveller) : [step],
  )
}
