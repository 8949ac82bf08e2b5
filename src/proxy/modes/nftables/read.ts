import { FAMILY_WORDS, listTable, listWithoutElements } from '#dialects/nft.ts'
import { type Declared, type Listing, listingOf } from '#dialects/nft-listing.ts'
import type { Ruleset, Unit } from '#proxy/modes/mode.ts'
import { CommandFailed } from '#system/must.ts'
import type { Kernel, Outcome, RulesetDump } from '#system/ports.ts'
import type { Family } from '#values/address.ts'
import { elementUnits } from './elements.ts'
import { containerNamed, containerOf } from './maps.ts'
import { chainUnit, elementUnit, isAffinitySet, mapUnit, setUnit, TABLE, TABLE_UNIT, unitParts } from './names.ts'

// Our table in the kernel → the units in it, in the very text we would write: chains and declarations as nft prints them, elements
// as the kernel lists them, or all of it as nft prints it.

export async function read(kernel: Kernel, family: Family, dump?: RulesetDump): Promise<Ruleset> {
  return (dump && (await readBeside(dump, kernel, family))) ?? readListed(kernel, family)
}

async function readListed(kernel: Kernel, family: Family): Promise<Ruleset> {
  const command = listTable(family, TABLE)
  const listing = await kernel.run(command)
  if (isAbsent(listing)) return new Map()
  if (listing.code !== 0) throw new CommandFailed(command, listing)
  return unitsOf(listingOf(listing.stdout), family)
}

function isAbsent({ code, stderr }: Outcome): boolean {
  return code === 1 && stderr.includes('No such file or directory')
}

/** Undefined where nft must list elements, too. */
async function readBeside(dump: RulesetDump, kernel: Kernel, family: Family): Promise<Ruleset | undefined> {
  try {
    const rules = await readRules(kernel, family, dump)
    if (rules === undefined || rules === FOREIGN) return rules
    const found = new Map(rules)
    for (const unit of rules.keys()) {
      const { kind, name } = unitParts(unit)
      if (kind !== 'map' && kind !== 'set') continue
      for (const [element, text] of elementsOf(dump, family, name)) found.set(element, text)
    }
    return found
  } catch (error) {
    if (error instanceof CommandFailed) throw error
    // The kernel refused to list.
    return undefined
  }
}

/** The kernel's time for a table's rules grows with the square of its chains, and this lists all tables of a family. */
const OTHER_CHAINS = 2000

/** All but elements. To list our table alone, nft reads every element even where it prints none. Undefined where it must. */
export async function readRules(kernel: Kernel, family: Family, dump: RulesetDump): Promise<Ruleset | undefined> {
  const tables = dump.chains(FAMILY_WORDS[family].ip)
  const others = [...tables].reduce((sum, [table, chains]) => sum + (table === TABLE ? 0 : chains.size), 0)
  if (!tables.has(TABLE) || others > OTHER_CHAINS) return undefined
  const command = listWithoutElements(family)
  const listing = await kernel.run(command)
  if (listing.code !== 0) throw new CommandFailed(command, listing)
  return unitsOf(listingOf(listing.stdout, TABLE), family)
}

/** None for a set that is not ours, and for one that clients enter. */
export function elementsOf(dump: RulesetDump, family: Family, set: string): Iterable<[Unit, string]> {
  const container = containerNamed(family, set)
  if (container === undefined || isAffinitySet(set)) return []
  const { ip } = FAMILY_WORDS[family]
  return elementUnits(set, container.types, dump.elements({ family: ip, table: TABLE, set }))
}

export function unitsOf({ chains, sets, maps }: Listing, family: Family): Ruleset {
  const found = new Map<Unit, string>([[TABLE_UNIT, '']])
  for (const [name, text] of chains) found.set(chainUnit(name), text)
  const named = [...[...sets].map(unitOf(setUnit)), ...[...maps].map(unitOf(mapUnit))]
  for (const { unit, name, declared } of named) {
    const container = containerOf(family, unit)
    if (container?.types !== declared.types) return FOREIGN
    found.set(unit, container.text)
    // The clients in an affinity set are the kernel's, not elements of ours.
    if (isAffinitySet(name)) continue
    for (const [key, rest] of declared.elements()) found.set(elementUnit(name, key), rest)
  }
  return found
}

function unitOf(unit: (name: string) => Unit) {
  return ([name, declared]: readonly [string, Declared]) => ({ unit: unit(name), name, declared })
}

/**
 * A table with maps that are not ours, or were declared otherwise by another version, cannot be repaired map by map: rules refer
 * to them. Read as one unit that must change, the table is replaced as a whole, in one transaction and so without a gap. After
 * kube-proxy's nftables mode, this is what the first sync does.
 */
export const FOREIGN: Ruleset = new Map([[TABLE_UNIT, 'not ours']])
