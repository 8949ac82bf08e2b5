import type { Fate } from '../../../support/fate.ts'
import { oracle } from '../../../support/oracle.ts'

// The oracle's ends for iptables mode → those of userspace mode: the relay opens the second connection itself, so an endpoint
// sees the node's address.

export const userspaceOracle: typeof oracle = (...asked) => fromTheNode(oracle(...asked))

function fromTheNode(fate: Fate): Fate {
  const found = new Map<string, number>()
  for (const [end, share] of fate) {
    const isEndpoint = /:\d+( masqueraded)?$/.test(end)
    const name = isEndpoint ? `${end.replace(' masqueraded', '')} masqueraded` : end
    found.set(name, (found.get(name) ?? 0) + share)
  }
  return found
}
