import type { Variant } from '#dialects/iptables.ts'
import type { Plan } from '#proxy/modes/mode.ts'
import { jumpOrder } from '#proxy/modes/netfilter/chain-order.ts'
import { chainUnit, ruleUnit } from '#proxy/modes/netfilter/units.ts'
import { pieces, portionsOf } from '#proxy/modes/portions.ts'
import { byKind, NODEPORTS, SERVICES } from './names.ts'

// A very large plan → the new chains of Services in pieces, then all else, with the rules that lead to them.

/** 3 MB of rules: more of them at a time are no quicker. */
const SIZE = 10_000
/** A plan of this size is one document of a few megabytes. */
const WHOLE = 2 * SIZE

/** Legacy writes the whole table at each commit. */
export function portions(plan: Plan, { variant }: { readonly variant: Variant }): Iterable<Plan> {
  if (variant === 'legacy' || plan.add.size <= WHOLE) return [plan]
  const texts = new Map<string, string>()
  for (const [unit, text] of plan.add) {
    const rule = ruleUnit(unit)
    if (rule?.kind === 'chain' && rule.table === 'nat') texts.set(rule.chain, text)
  }
  const ahead = jumpOrder(texts, byKind).filter(chain => chain !== SERVICES && chain !== NODEPORTS)
  const units = ahead.map(chain => chainUnit('nat', chain))
  return portionsOf(plan, { ahead: pieces(units, SIZE) })
}
