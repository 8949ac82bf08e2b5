import type { Ring } from '#ipam/ring/ring.ts'
import type { AuditedAddress, AuditedService } from '#ipam/services/audit.ts'
import type { Address } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'
import type { PortRange } from '#values/port-range.ts'

// What is known of a cluster's ranges and of what is taken of them: all that the table, its warnings and the audit are made of.

export interface ClusterFacts {
  readonly clusterCIDRs: StatedRanges
  /** The prefix length of a node's range where a flag says it; else that of the Nodes counts. */
  readonly nodeMask: Partial<Readonly<Record<'ipv4' | 'ipv6', number>>>
  readonly nodes: readonly OverviewNode[]
  readonly services: readonly OverviewService[]
  readonly serviceCIDRs: StatedRanges
  /** Undefined where the cluster has no such objects: before Kubernetes 1.33. */
  readonly addresses: readonly AuditedAddress[] | undefined
  readonly nodePorts: PortRange
  /** Of all pods that have addresses of their own; undefined where pods could not be listed. */
  readonly podIPs: readonly Address[] | undefined
  readonly ring: Ring | undefined
  /** Of this host, where it is a node of the cluster. */
  readonly hostRoutes: readonly Cidr[]
}

/** Ranges, and who says so: an operator has to know how far to trust a guess. */
export interface StatedRanges {
  readonly cidrs: readonly Cidr[]
  readonly from: string
  /** How much of it is free, then, says nothing. */
  readonly isGuess?: true
}

export interface OverviewNode {
  readonly name: string
  /** Milliseconds since the epoch. */
  readonly created: number | undefined
  readonly podCIDRs: readonly Cidr[]
  readonly addresses: readonly Address[]
  readonly maxPods: number | undefined
}

/** When the cluster was made, as far as its objects say. */
export function oldestIn({ nodes, services }: Pick<ClusterFacts, 'nodes' | 'services'>): number | undefined {
  return [...nodes, ...services].reduce<number | undefined>(
    (oldest, { created }) => (created === undefined || (oldest ?? created) < created ? oldest : created),
    undefined,
  )
}

export interface OverviewService extends AuditedService {
  readonly created: number | undefined
}
