import type { Ruleset } from '#proxy/modes/mode.ts'
import { chainUnit } from '#proxy/modes/nftables/names.ts'
import { act, GOES_ON, type RulePosition, type Step } from './act.ts'
import type { NftPacket } from './fields.ts'
import { rulesOf, type Statement, statementsOf } from './parse.ts'

// A packet at the head of a chain → every way it can leave the chain.

export interface ChainExit {
  readonly traced: NftPacket
  /** `on`: no rule has decided, and the packet goes on after the rule that jumped here. */
  readonly end: 'on' | 'accept' | 'drop' | 'reject'
}

export function walk(rules: Ruleset, chain: string, traced: NftPacket): readonly ChainExit[] {
  const lines = rulesOf(rules.get(chainUnit(chain)) ?? '')
  const from = (i: number, traced: NftPacket): readonly ChainExit[] => {
    const rule = lines[i]
    if (rule === undefined) return [{ traced, end: 'on' }]
    const steps = carryOut({ rules, chain, rule }, statementsOf(rule), traced)
    return steps.flatMap(step => follow(rules, step, after => from(i + 1, after)))
  }
  return from(0, traced)
}

function follow(
  rules: Ruleset,
  { traced, verdict: words }: Step,
  nextRule: (traced: NftPacket) => readonly ChainExit[],
): readonly ChainExit[] {
  const [verdict, target] = words.split(' ') as [string, string]
  switch (verdict) {
    case 'jump':
      return walk(rules, target, traced).flatMap(one => (one.end === 'on' ? nextRule(one.traced) : [one]))
    case 'goto':
      return walk(rules, target, traced)
    case 'return':
      return [{ traced, end: 'on' }]
    case 'accept':
    case 'drop':
    case 'reject':
      return [{ traced, end: verdict }]
    default:
      return nextRule(traced)
  }
}

/** The statements of a rule, until one decides or does not match. */
function carryOut(position: RulePosition, statements: readonly Statement[], traced: NftPacket): readonly Step[] {
  const [first, ...rest] = statements
  if (first === undefined) return [{ traced, verdict: GOES_ON }]
  return act(position, first, traced).flatMap(step =>
    step.verdict === GOES_ON ? carryOut(position, rest, step.traced) : [step],
  )
}
