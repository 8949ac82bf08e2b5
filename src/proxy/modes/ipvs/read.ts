import { addressesOf, LIST_ADDRESSES, serviceAddressesOf } from '#dialects/ip.ts'
import * as ipset from '#dialects/ipset.ts'
import { saveAll, type Tools } from '#dialects/iptables.ts'
import * as ipvs from '#dialects/ipvs.ts'
import { LINGERING, type Ruleset, type Unit } from '#proxy/modes/mode.ts'
import { unitsIn } from '#proxy/modes/netfilter/chains.ts'
import { must } from '#system/must.ts'
import type { Kernel } from '#system/ports.ts'
import type { Family } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'
import { CHAINS } from './chains.ts'
import { addressUnit, DEVICE_UNIT, memberUnit, realUnit, serverUnit, setUnit } from './names.ts'
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
    ...unitsIn(listings.rules, CHAINS),
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
