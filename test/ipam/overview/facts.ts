import type { ClusterFacts, OverviewNode, OverviewService } from '#ipam/overview/cluster-facts.ts'
import { type Address, parseAddress } from '#values/address.ts'
import { type Cidr, parseCidr } from '#values/cidr.ts'

// Facts in few words.

export const DAY = 86_400_000
/** Now, in these tests. */
export const NOW = 1000 * DAY

export const ip = (text: string): Address => parseAddress(text)!
export const cidr = (text: string): Cidr => parseCidr(text)!

export function node(name: string, podCIDRs: readonly string[], more: Partial<OverviewNode> = {}): OverviewNode {
  return { name, created: undefined, podCIDRs: podCIDRs.map(cidr), addresses: [], maxPods: 110, ...more }
}

export function service(
  name: string,
  clusterIPs: readonly string[],
  more: Partial<OverviewService> = {},
): OverviewService {
  return { name, created: undefined, clusterIPs: clusterIPs.map(ip), nodePorts: [], ...more }
}

export interface FactsInWords
  extends Partial<Omit<ClusterFacts, 'clusterCIDRs' | 'serviceCIDRs' | 'podIPs' | 'hostRoutes'>> {
  readonly clusterCIDRs?: readonly string[]
  readonly serviceCIDRs?: readonly string[]
  readonly podIPs?: readonly string[]
  readonly hostRoutes?: readonly string[]
}

export function facts(words: FactsInWords = {}): ClusterFacts {
  const { clusterCIDRs = ['10.244.0.0/16'], serviceCIDRs = ['10.96.0.0/16'], podIPs, hostRoutes = [], ...more } = words
  return {
    clusterCIDRs: { cidrs: clusterCIDRs.map(cidr), from: 'as the test says' },
    serviceCIDRs: { cidrs: serviceCIDRs.map(cidr), from: 'as the test says' },
    ...{ nodes: [], services: [], addresses: undefined, ring: undefined, nodeMask: {} },
    nodePorts: { first: 30_000, last: 32_767 },
    podIPs: podIPs?.map(ip),
    hostRoutes: hostRoutes.map(cidr),
    ...more,
  }
}
