import type { NftElement, NftRule, NftTable } from './state.ts'

// Rules and elements → the chains and sets of their table that they need. What is needed cannot be deleted.

export interface References {
  readonly chains: ReadonlySet<string>
  readonly sets: ReadonlySet<string>
}

export function referencesOf(of: NftRule | NftElement): References {
  const chains = new Set<string>()
  const sets = new Set<string>()
  visit('expr' in of ? of.expr : of.value, (key, value) => {
    if (key === 'target' && typeof value === 'string') chains.add(value)
    if (typeof value === 'string' && value.startsWith('@')) sets.add(value.slice(1))
  })
  return { chains, sets }
}

/** Whether a rule or an element leads to this chain, or a rule looks into this set. */
export function isNeeded({ chains, sets }: NftTable, kind: keyof References, name: string): boolean {
  for (const { rules } of chains.values()) if (rules.some(rule => referencesOf(rule)[kind].has(name))) return true
  if (kind === 'sets') return false
  for (const { map, elements } of sets.values()) {
    if (map !== 'verdict') continue
    for (const element of elements.values()) if (referencesOf(element).chains.has(name)) return true
  }
  return false
}

function visit(tree: unknown, each: (key: string, value: unknown) => void): void {
  if (typeof tree !== 'object' || tree === null) return
  for (const [key, value] of Object.entries(tree)) {
    each(key, value)
    visit(value, each)
  }
}
