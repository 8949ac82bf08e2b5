import { addressNumber } from '#values/address.ts'
import { baseAddress, type Cidr, cidrFamily, contains, overlaps, prefixLength } from '#values/cidr.ts'
import type { ClusterFacts } from '../cluster-facts.ts'

// Ranges that have addresses of each other: one of the two is then reached where the other is meant.

interface NamedRange {
  readonly name: string
  readonly cidr: Cidr
}

export function overlapWarnings(facts: ClusterFacts): readonly string[] {
  const { clusterCIDRs, serviceCIDRs, ring } = facts
  const pods = clusterCIDRs.cidrs.map(cidr => ({ name: `the cluster's range ${cidr}`, cidr }))
  const services = serviceCIDRs.cidrs.map(cidr => ({ name: `the range of Services ${cidr}`, cidr }))
  const peers = ring === undefined ? [] : [{ name: `the ring's range ${ring.range}`, cidr: ring.range }]
  return [
    ...between(pods, services),
    ...between(peers, services),
    ...between(
      peers,
      pods.filter(({ cidr }) => cidr !== ring?.range),
    ),
    ...nodeOverlaps(facts),
    ...outside(facts),
    ...networkWarnings(facts, [...pods, ...services, ...peers]),
  ]
}

function between(some: readonly NamedRange[], others: readonly NamedRange[]): readonly string[] {
  return some.flatMap(one =>
    others.filter(other => overlaps(one.cidr, other.cidr)).map(other => `${one.name} overlaps ${other.name}`),
  )
}

/** In the order of addresses, a range that overlaps another is behind it. */
function nodeOverlaps({ nodes, serviceCIDRs }: ClusterFacts): readonly string[] {
  const held = nodes
    .flatMap(({ name, podCIDRs }) => podCIDRs.map(cidr => ({ name, cidr, from: addressNumber(baseAddress(cidr)) })))
    .toSorted((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : prefixLength(a.cidr) - prefixLength(b.cidr)))
  const found: string[] = []
  const widest = new Map<string, NamedRange>()
  for (const { name, cidr } of held) {
    const before = widest.get(cidrFamily(cidr))
    if (before !== undefined && overlaps(before.cidr, cidr))
      found.push(
        `node ${name}'s ${cidr} overlaps node ${before.name}'s ${before.cidr}: pods of both have the same addresses`,
      )
    else widest.set(cidrFamily(cidr), { name, cidr })
    const services = serviceCIDRs.cidrs.find(range => overlaps(range, cidr))
    if (services !== undefined) found.push(`node ${name}'s ${cidr} overlaps the range of Services ${services}`)
  }
  return found
}

/** Of a guessed range, all are inside: it was made of them. */
function outside({ nodes, clusterCIDRs: { cidrs } }: ClusterFacts): readonly string[] {
  const families = new Set(cidrs.map(cidrFamily))
  const isInside = (cidr: Cidr) => cidrs.some(cluster => isWithin(cidr, cluster))
  return nodes.flatMap(({ name, podCIDRs }) =>
    podCIDRs
      .filter(cidr => families.has(cidrFamily(cidr)) && !isInside(cidr))
      .map(cidr => `node ${name}'s ${cidr} is not in the cluster's ${cidrs.join(', ')}`),
  )
}

const SHOWN = 3

function networkWarnings({ nodes, hostRoutes, ring }: ClusterFacts, ranges: readonly NamedRange[]): readonly string[] {
  const own = new Set(nodes.flatMap(({ podCIDRs }) => podCIDRs))
  // The bridge of a node has the whole ring on its link.
  const foreign = hostRoutes.filter(route => route !== ring?.range)
  return ranges.flatMap(({ name, cidr }) => {
    const inside = nodes.flatMap(node =>
      node.addresses.filter(ip => contains(cidr, ip)).map(ip => `${node.name} ${ip}`),
    )
    const nodeText = `${name} has addresses of nodes (${listText(inside)}): they are no longer reached from pods`
    const routes = foreign.filter(route => overlaps(route, cidr) && ![...own].some(range => isWithin(route, range)))
    const routeText = `${name} overlaps ${routes.length === 1 ? 'a route' : 'routes'} of this host: ${listText(routes)}`
    return [...(inside.length > 0 ? [nodeText] : []), ...(routes.length > 0 ? [routeText] : [])]
  })
}

function isWithin(part: Cidr, whole: Cidr): boolean {
  return prefixLength(whole) <= prefixLength(part) && contains(whole, baseAddress(part))
}

function listText(items: readonly string[]): string {
  const rest = items.length - SHOWN
  return rest > 0 ? `${items.slice(0, SHOWN).join(', ')} and ${rest} more` : items.join(', ')
}
