import type { Attachment, CniRequest } from '#cni/protocol/request.ts'
import type { CniAddress, CniResult } from '#cni/protocol/result.ts'
import { type Address, FAMILIES, type Family, familyOf } from '#values/address.ts'
import { type Cidr, prefixOf } from '#values/cidr.ts'
import type { PortMapping, PortmapConfig } from './mapping.ts'

// A configuration and what the plugins before made → for each family, which ports lead to which address.

/** One attachment of one network. Names of chains come from it, so DEL finds them without knowing what was mapped. */
export interface PortmapOwner extends Attachment {
  readonly network: string
}

export interface PortmapTarget {
  readonly family: Family
  readonly address: Address
  /** Containers in it reach each other past the node, so their connections to a host port need the node's address. */
  readonly subnet: Cidr
  readonly mappings: readonly [PortMapping, ...PortMapping[]]
}

export function ownerOf({ config, container, ifname }: CniRequest): PortmapOwner {
  return { network: config.name, container, ifname }
}

/** A family without an address in the container, or without a port that is mapped in it, has no target. */
export function targetsOf({ mappings }: PortmapConfig, result: CniResult): readonly PortmapTarget[] {
  return FAMILIES.flatMap(family => {
    const ip = containerAddress(result, family)
    const [first, ...more] = mappings.filter(({ hostAddress: at }) => at === undefined || familyOf(at) === family)
    if (ip === undefined || first === undefined) return []
    const subnet = prefixOf(ip.address, ip.prefixLength)
    return [{ family, address: ip.address, subnet, mappings: [first, ...more] as const }]
  })
}

/** The first address on an interface inside a container; where IPAM alone spoke, addresses are on no interface yet. */
function containerAddress({ ips, interfaces }: CniResult, family: Family): CniAddress | undefined {
  return ips.find(ip => {
    if (familyOf(ip.address) !== family) return false
    return ip.interface === undefined || interfaces[ip.interface]?.sandbox !== undefined
  })
}

/** The only address of the node it is for; `0.0.0.0` and `::` mean every one of their family. */
export function oneAddress({ hostAddress }: PortMapping): Address | undefined {
  return hostAddress === '0.0.0.0' || hostAddress === '::' ? undefined : hostAddress
}
