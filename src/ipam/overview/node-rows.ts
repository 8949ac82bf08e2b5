import { ADDRESS_BITS, addressFromNumber, addressNumber, type Family } from '#values/address.ts'
import { baseAddress, type Cidr, cidrFamily, overlaps, prefixLength } from '#values/cidr.ts'
import { type ClusterFacts, type OverviewNode, oldestIn } from './cluster-facts.ts'
import { fillEstimate } from './fill-estimate.ts'
import { type FreeSpace, freeSpace, type Stretch } from './free-space.ts'
import { PodAddresses } from './pod-addresses.ts'
import type { RangeRow } from './range-rows.ts'

// The ranges of pods: the cluster's, counted in ranges of nodes, and those of the nodes, counted in pods.

export function nodeRows(facts: ClusterFacts, now: number): readonly RangeRow[] {
  const held = facts.nodes
    .flatMap(node => node.podCIDRs.map(cidr => ({ node, cidr, from: stretchOf(cidr).first })))
    .toSorted(byAddress)
  const users = new PodAddresses(facts.podIPs)
  const shown = new Set<HeldRange>()
  const inClusters = facts.clusterCIDRs.cidrs.flatMap(cluster => {
    const inside = held.filter(({ cidr }) => overlaps(cluster, cidr))
    for (const one of inside) shown.add(one)
    return [clusterRow(facts, cluster, inside, now), ...inside.map(one => nodeRow(one, users))]
  })
  return [...inClusters, ...held.filter(one => !shown.has(one)).map(one => nodeRow(one, users))]
}

interface HeldRange {
  readonly node: OverviewNode
  readonly cidr: Cidr
  /** Its first address: read once, and compared often. */
  readonly from: bigint
}

function byAddress(a: HeldRange, b: HeldRange): number {
  return a.from < b.from ? -1 : a.from > b.from ? 1 : 0
}

/** That of the flag, or the one that most nodes have; of two that as many have, that of the larger ranges. */
export function nodeMaskOf(facts: ClusterFacts, family: Family): number {
  const stated = facts.nodeMask[family]
  if (stated !== undefined) return stated
  const counts = new Map<number, number>()
  for (const { podCIDRs } of facts.nodes)
    for (const cidr of podCIDRs)
      if (cidrFamily(cidr) === family) counts.set(prefixLength(cidr), (counts.get(prefixLength(cidr)) ?? 0) + 1)
  const [most] = [...counts].toSorted(([a, ofA], [b, ofB]) => ofB - ofA || a - b)
  return most?.[0] ?? (family === 'ipv4' ? 24 : 64)
}

function clusterRow(facts: ClusterFacts, cluster: Cidr, inside: readonly HeldRange[], now: number): RangeRow {
  const family = cidrFamily(cluster)
  const mask = Math.max(nodeMaskOf(facts, family), prefixLength(cluster))
  const { used, free, block } = nodeBlocks(facts, cluster, inside)
  const created = inside.map(({ node }) => node.created)
  const { from, isGuess } = facts.clusterCIDRs
  return {
    ...{ kind: 'cluster', name: '', range: cluster, unit: `/${mask} for nodes` },
    ...{ size: used + free, used, free, from },
    largestFree: block && prefixText(family, block.base, block.bits, mask),
    full: isGuess ? undefined : fillEstimate({ created, free, since: oldestIn(facts), now }),
    ...(isGuess && { isGuess }),
  }
}

/** In ranges of nodes, not in addresses; what Services have of it counts as used. */
export function nodeBlocks(facts: ClusterFacts, cluster: Cidr, inside: readonly { readonly cidr: Cidr }[]): FreeSpace {
  const family = cidrFamily(cluster)
  const shift = BigInt(ADDRESS_BITS[family] - Math.max(nodeMaskOf(facts, family), prefixLength(cluster)))
  const services = facts.serviceCIDRs.cidrs.filter(cidr => cidrFamily(cidr) === family && overlaps(cluster, cidr))
  const taken = [...inside.map(({ cidr }) => cidr), ...services].map(stretchOf)
  const blocks = ({ first, last }: Stretch): Stretch => ({ first: first >> shift, last: last >> shift })
  return freeSpace(blocks(stretchOf(cluster)), taken.map(blocks))
}

function nodeRow({ node, cidr }: HeldRange, users: PodAddresses): RangeRow {
  const usable = usableOf(cidr)
  const size = usable.last - usable.first + 1n
  const family = cidrFamily(cidr)
  const space = users.spaceIn(usable, family)
  return {
    ...{ kind: 'node', name: node.name, range: cidr, unit: 'pods', size },
    ...{ used: space?.used, free: space?.free, full: undefined },
    largestFree: space?.block && prefixText(family, space.block.base, space.block.bits, ADDRESS_BITS[family]),
  }
}

export function stretchOf(cidr: Cidr): Stretch {
  const first = addressNumber(baseAddress(cidr))
  return { first, last: first + (1n << BigInt(ADDRESS_BITS[cidrFamily(cidr)] - prefixLength(cidr))) - 1n }
}

/** Without network, broadcast and the gateway, which is the first address. */
export function usableOf(cidr: Cidr): Stretch {
  const { first, last } = stretchOf(cidr)
  if (last - first < 3n) return { first, last }
  return { first: first + 2n, last: cidrFamily(cidr) === 'ipv4' ? last - 1n : last }
}

function prefixText(family: Family, base: bigint, bits: number, unitBits: number): string {
  const shift = BigInt(ADDRESS_BITS[family] - unitBits)
  return `${addressFromNumber(family, base << shift)}/${unitBits - bits}`
}
