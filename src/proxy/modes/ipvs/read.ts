import { canonicalChains } from 'iptables-parser'
import { addressesOf, LIST_ADDRESSES, serviceAddressesOf } from '#dialects/ip.ts'
import * as ipset from '#dialects/ipset.ts'
import { saveAll, type Tools } from '#dialects/iptables.ts'
import * as ipvs from '#dialects/ipvs.ts'
import type { ModeChains } from '#proxy/modes/iptables-watches.ts'
import { LINGERING, type Ruleset, type Unit } from '#proxy/modes/mode.ts'
import { must } from '#system/must.ts'
import type { Kernel } from '#system/ports.ts'
import type { Family } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'
import {
  addressUnit,
  chainUnit,
  DEVICE_UNIT,
  type IpvsTable,
  isOurChain,
  lineUnit,
  memberUnit,
  realUnit,
  serverUnit,
  setUnit,
  TABLES,
} from './names.ts'
import { ownership } from './ours.ts'
import { setOf, setSpec } from './sets.ts'

// What four tools print → the units that are ours, in the very text we would write.

export interface IpvsReadOptions {
  readonly tools: Tools
  /** A virtual server in these ranges is ours only where one of our sets has it; an address on kube-ipvs0 does not count. */
  readonly excludeCIDRs: readonly Cidr[]
}

export async function read(kernel: Kernel, options: IpvsReadOptions): Promise<Ruleset> {
  const [sets, rules, servers, addresses] = await Promise.all([
    // A kernel without ipset, or a host without the tool, has no sets.
    kernel.run(ipset.SAVE_SETS),
    must(kernel, saveAll(options.tools)),
    listServers(kernel),
    must(kernel, LIST_ADDRESSES),
  ])
  const listings = { sets: sets.stdout, rules: rules.stdout, servers, addresses: addresses.stdout }
  return ourUnits(listings, options.tools.family, options.excludeCIDRs)
}

/** Without IPVS in the kernel, ipvsadm is not run: it would load the module. */
async function listServers(kernel: Kernel): Promise<string> {
  const loaded = await kernel.run(ipvs.IS_IPVS_LOADED)
  if (loaded.code !== 0) return ''
  return (await must(kernel, ipvs.SAVE_SERVERS)).stdout
}

/** What the tools printed. */
export interface Listings {
  readonly sets: string
  readonly rules: string
  readonly servers: string
  readonly addresses: string
}

export function ourUnits(listings: Listings, family: Family, excludeCIDRs: readonly Cidr[]): Ruleset {
  const saved = ipset.savedSets(listings.sets, name => setOf(name, family) !== undefined)
  const bound = serviceAddressesOf(listings.addresses, family)
  const own = addressesOf(listings.addresses, family)
  const isOurs = ownership({ family, sets: saved, bound: new Set(bound), own: new Set(own), excludeCIDRs })
  return new Map([
    ...(bound === undefined ? [] : [[DEVICE_UNIT, ''] as const]),
    ...setUnits(saved, family),
    ...ruleUnits(listings.rules),
    ...serverUnits(listings.servers, family, isOurs),
    ...(bound ?? []).map((ip): [Unit, string] => [addressUnit(ip), '']),
  ])
}

/**
 * A set of another type or size must be replaced with all its members, so none is listed. A member that expires counts as
 * deleted.
 */
function* setUnits(saved: ReadonlyMap<string, ipset.SavedSet>, family: Family): Iterable<[Unit, string]> {
  for (const [name, { spec, members }] of saved) {
    yield [setUnit(name), spec]
    if (spec !== setSpec(setOf(name, family)!, family)) continue
    for (const { entry, expires } of members) if (!expires) yield [memberUnit(name, entry), '']
  }
}

function* serverUnits(
  listing: string,
  family: Family,
  isOurs: (server: ipvs.VirtualServerAddress) => boolean,
): Iterable<[Unit, string]> {
  for (const line of ipvs.savedServers(listing)) {
    if (line.server.at.startsWith('[') !== (family === 'ipv6') || !isOurs(line.server)) continue
    if (line.what === 'server') yield [serverUnit(line.server), line.options]
    else yield [realUnit(line.server, line.real), line.options === ipvs.QUIET ? LINGERING : line.options]
  }
}

function ruleUnits(save: string): ReadonlyMap<Unit, string> {
  const found = new Map<Unit, string>()
  for (const { table, chain, text } of chainTexts(save)) {
    if (isOurChain(table, chain)) found.set(chainUnit(table, chain), text)
    else for (const unit of jumps(table, chain, text)) found.set(unit, '')
  }
  return found
}

export const CHAINS: ModeChains = {
  tables: TABLES,
  isOurs: (table, chain) => isOurChain(table as IpvsTable, chain),
  isShared: (_, chain) => BUILT_IN.includes(chain),
  unitsIn: (_, save) => ruleUnits(save),
}

function chainTexts(save: string) {
  const tables = canonicalChains(save)
  return TABLES.flatMap(table => [...(tables.get(table) ?? [])].map(([chain, text]) => ({ table, chain, text })))
}

function jumps(table: IpvsTable, chain: string, text: string): readonly Unit[] {
  const ours = text.split('\n').filter(line => isOurJump(table, chain, line))
  return ours.map((line, i) => lineUnit(table, line, ours.slice(0, i + 1).filter(other => other === line).length))
}

/** A foreign rule may jump to our chains too; ours have one of our comments. */
function isOurJump(table: IpvsTable, chain: string, line: string): boolean {
  return BUILT_IN.includes(chain) && leadsToUs(table, line) !== undefined && OUR_REASON.test(line)
}

const BUILT_IN: readonly string[] = ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING']
/** The comments of jumps, in every mode and version. */
const OUR_REASON =
  / --comment "(?:kubernetes |kube-proxy |handle (?:ClusterIPs|service NodePorts);|Ensure that non-local NodePort traffic)/

function leadsToUs(table: IpvsTable, line: string): string | undefined {
  const target = / -[jg] (KUBE-[A-Z0-9-]+)$/.exec(line)?.[1]
  return target !== undefined && isOurChain(table, target) ? target : undefined
}

/** Each chain of ours that a foreign rule jumps to, with that rule. */
export async function foreignRules(kernel: Kernel, tools: Tools): Promise<ReadonlyMap<Unit, string>> {
  const { stdout } = await must(kernel, saveAll(tools))
  const found = new Map<Unit, string>()
  for (const { table, chain, text } of chainTexts(stdout)) {
    if (isOurChain(table, chain)) continue
    for (const line of text.split('\n').filter(line => !isOurJump(table, chain, line))) {
      const target = leadsToUs(table, line)
      if (target !== undefined) found.set(chainUnit(table, target), line)
    }
  }
  return found
}
