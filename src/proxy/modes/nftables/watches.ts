import { FAMILY_WORDS } from '#dialects/nft.ts'
import type { Part, Parts, Ruleset, Unit, Watches } from '#proxy/modes/mode.ts'
import type { Kernel, RulesetDump, Touch } from '#system/ports.ts'
import type { Family } from '#values/address.ts'
import { containerIn, elementsPart, isAffinitySet, partOf, RULES, TABLE } from './names.ts'
import { elementsOf, FOREIGN, read, readRules } from './read.ts'

// What commits of other programs mean for our table: all its chains and declarations are one part, which is read in a moment at any
// size, and the elements of each map and set are one. The kernel reports nothing of clients that enter affinity sets.

export function watches(family: Family): Watches {
  const { ip } = FAMILY_WORDS[family]
  return {
    author: ({ does, argv }) => (does === 'write' && argv[0] === 'nft' ? 'nft' : undefined),
    concerns: touch => (touch.family === ip && touch.table === TABLE ? concernOf(touch) : 'nothing'),
    parts: {
      of: partOf,
      unitOf: () => undefined,
      read: (kernel, parts, dump) => readParts(kernel, parts, { family, dump }),
    } satisfies Parts,
  }
}

function concernOf({ kind, name }: Touch): Part | 'everything' | 'nothing' {
  if (kind === 'chain' || kind === 'rule') return RULES
  if (kind !== 'element') return 'everything'
  return isAffinitySet(name) ? 'nothing' : elementsPart(name)
}

interface ReadPartsOptions {
  readonly family: Family
  readonly dump: RulesetDump | undefined
}

/** Undefined where the table must be read as a whole. */
async function readParts(
  kernel: Kernel,
  parts: ReadonlySet<Part>,
  { family, dump }: ReadPartsOptions,
): Promise<Ruleset | undefined> {
  if (dump === undefined) {
    const all = await read(kernel, family)
    return all === FOREIGN ? undefined : new Map([...all].filter(([unit]) => parts.has(partOf(unit))))
  }
  const rules = parts.has(RULES) ? await readRules(kernel, family, dump) : new Map<Unit, string>()
  if (rules === undefined || rules === FOREIGN) return undefined
  const found = new Map(rules)
  for (const part of parts) {
    const container = containerIn(part)
    if (container === undefined) continue
    for (const [unit, text] of elementsOf(dump, family, container)) found.set(unit, text)
  }
  return found
}
