import { listTable } from '#dialects/nft.ts'
import { type Declared, type Listing, listingOf } from '#dialects/nft-listing.ts'
import type { Ruleset, Unit } from '#proxy/modes/mode.ts'
import { CommandFailed } from '#system/must.ts'
import type { Kernel, Outcome } from '#system/ports.ts'
import type { Family } from '#values/address.ts'
import { containerOf } from './maps.ts'
import { AFFINITY, chainUnit, elementUnit, mapUnit, setUnit, TABLE, TABLE_UNIT } from './names.ts'

// The output of `nft -j list table` → the units in the kernel, in the very text we would write.

export async function read(kernel: Kernel, family: Family): Promise<Ruleset> {
  const command = listTable(family, TABLE)
  const listing = await kernel.run(command)
  if (isAbsent(listing)) return new Map()
  if (listing.code !== 0) throw new CommandFailed(command, listing)
  return unitsOf(listingOf(listing.stdout), family)
}

function isAbsent({ code, stderr }: Outcome): boolean {
  return code === 1 && stderr.includes('No such file or directory')
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
    if (name.startsWith(AFFINITY)) continue
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
const FOREIGN: Ruleset = new Map([[TABLE_UNIT, 'not ours']])
