import type { KeptRules } from '#ipam/leases/rules/rule-book.ts'
import type { RewrittenKind } from '../kept-rules.ts'
import type { Mapping } from './backend.ts'
import { mappedOwners } from './mapped-owners.ts'
import { isMapped, mapAll, unmapAll } from './portmap.ts'

// The mappings of an attachment, as they are kept → looked for by whose they are, and mapped anew.

export type WantedMapping = Omit<Mapping, 'owner'>

export const keptMappings: RewrittenKind = {
  async look(parts) {
    const isThere = await mappedOwners(parts)
    return rules => {
      const { owner, targets } = mappingOf(rules)
      return targets.every(({ family }) => isThere(owner, family))
    }
  },
  isWhole: (rules, parts) => isMapped(mappingOf(rules), parts),
  write: (rules, parts) => mapAll(mappingOf(rules), parts),
  remove: ({ holder }, parts) => unmapAll(holder, parts),
}

/** What we wrote ourselves. */
function mappingOf({ holder, wanted }: KeptRules): Mapping {
  return { owner: holder, ...(JSON.parse(wanted) as WantedMapping) }
}
