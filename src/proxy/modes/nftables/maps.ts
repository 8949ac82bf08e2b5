import { concat, dport, FAMILY_WORDS, oneOf } from '#dialects/nft.ts'
import { rule } from '#dialects/words.ts'
import type { Entry, Unit } from '#proxy/modes/mode.ts'
import type { Family } from '#values/address.ts'
import { PROTOCOLS, type Protocol } from '#values/protocol.ts'
import { isAffinitySet, mapUnit, setUnit, unitParts } from './names.ts'

// The maps and sets in which all plain services live. A name here always has the same declaration: a map cannot be changed
// while rules look into it, so a new shape takes a new name.

/** Address, protocol, port → where to go. */
export const SERVICE_IPS = 'service-ips'
/** Protocol, port → where to go. */
export const SERVICE_NODEPORTS = 'service-nodeports'
/** Frontends without endpoints: whether a packet is rejected or dropped. */
export const NO_ENDPOINT_SERVICES = 'no-endpoint-services'
export const NO_ENDPOINT_NODEPORTS = 'no-endpoint-nodeports'
/** Load balancer addresses with source ranges. */
export const FIREWALL_IPS = 'firewall-ips'
/** Every cluster IP, with endpoints or without. */
export const CLUSTER_IPS = 'cluster-ips'
/** Pairs of an endpoint's address with itself. */
export const HAIRPIN = 'hairpin'
/** The node's addresses that answer at node ports, where not all do. */
export const NODEPORT_IPS = 'nodeport-ips'

/** Address, port and a number → an endpoint. */
export function endpointsMap(protocol: Protocol): string {
  return `endpoints-${protocol}`
}

/** Port and a number → an endpoint. */
export function nodePortEndpointsMap(protocol: Protocol): string {
  return `nodeport-endpoints-${protocol}`
}

export const ENDPOINT_MAPS: ReadonlySet<string | undefined> = new Set(
  PROTOCOLS.flatMap(protocol => [endpointsMap(protocol), nodePortEndpointsMap(protocol)]),
)

export interface Container extends Entry {
  /** As nft lists the declaration. */
  readonly types: string
}

/** The maps and sets of a node without a single Service. */
export function containers(family: Family): readonly Container[] {
  const { addressType } = FAMILY_WORDS[family]
  const atAddress = `${concat(addressType, 'inet_proto', 'inet_service')} : verdict`
  const atNode = `${concat('inet_proto', 'inet_service')} : verdict`
  return [
    plain(mapUnit(SERVICE_IPS), atAddress),
    plain(mapUnit(SERVICE_NODEPORTS), atNode),
    ...PROTOCOLS.flatMap(protocol => endpointMaps(family, protocol)),
    plain(mapUnit(NO_ENDPOINT_SERVICES), atAddress),
    plain(mapUnit(NO_ENDPOINT_NODEPORTS), atNode),
    plain(mapUnit(FIREWALL_IPS), atAddress),
    plain(setUnit(CLUSTER_IPS), addressType),
    plain(setUnit(HAIRPIN), concat(addressType, addressType)),
  ]
}

export function nodePortIPs(family: Family): Container {
  return plain(setUnit(NODEPORT_IPS), FAMILY_WORDS[family].addressType)
}

/** Filled by rules, as clients come. */
export function affinitySet(family: Family, name: string): Container {
  return plain(setUnit(name), rule(FAMILY_WORDS[family].addressType, '; flags dynamic,timeout'))
}

/** The container of this name, as it would be declared today; nothing for a name that is not ours. */
export function containerOf(family: Family, unit: Unit): Container | undefined {
  const { name } = unitParts(unit)
  if (isAffinitySet(name)) return affinitySet(family, name)
  return [...containers(family), nodePortIPs(family)].find(container => container.unit === unit)
}

/** The same, by its name alone: no map has the name of a set. */
export function containerNamed(family: Family, name: string): Container | undefined {
  return containerOf(family, mapUnit(name)) ?? containerOf(family, setUnit(name))
}

function plain(unit: Unit, types: string): Container {
  return { unit, text: `type ${types}`, types }
}

/**
 * A number drawn in a rule has no type that could be named, so these are declared by examples. Each protocol has its
 * own: of what all three have in common, `th dport`, nft 1.0.6 makes no sense once it has read it back from the kernel
 * ("conflicting protocols specified: ip vs. th"), and then it refuses every further rule that looks into the map.
 */
function endpointMaps(family: Family, protocol: Protocol): readonly Container[] {
  const { addressType, daddr } = FAMILY_WORDS[family]
  const port = dport(protocol)
  const endpoint = concat(daddr, port)
  const types = `${concat('inet_service', 'integer')} : ${concat(addressType, 'inet_service')}`
  return [
    {
      unit: mapUnit(endpointsMap(protocol)),
      text: rule('typeof', concat(daddr, port, oneOf(2)), ':', endpoint),
      types: concat(addressType, types),
    },
    {
      unit: mapUnit(nodePortEndpointsMap(protocol)),
      text: rule('typeof', concat(port, oneOf(2)), ':', endpoint),
      types,
    },
  ]
}
