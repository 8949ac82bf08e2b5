import type { ClusterFacts } from '#ipam/overview/cluster-facts.ts'
import type { Ring } from '#ipam/ring/ring.ts'
import { ringOf } from '#ipam/ring/ring-text.ts'
import type { Family } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'
import type { PortRange } from '#values/port-range.ts'
import { addressOf, type LeftOut, nodeOf, podAddresses, rangesOf, serviceOf } from './decoded.ts'
import { fieldsIn, nameOf, type RawCluster } from './raw-objects.ts'
import { clusterRangesStated, serviceRangesStated } from './stated-ranges.ts'

// The objects of a cluster, and what flags say → the facts about its ranges.

export interface StatedByFlags {
  readonly clusterCIDRs: readonly Cidr[]
  readonly serviceRanges: readonly Cidr[]
  /** 0: not said. */
  readonly nodeMask: number
  readonly nodeMaskOf: Readonly<Record<Family, number>>
  readonly nodePorts: PortRange
  readonly hostRoutes: readonly Cidr[]
}

const KUBEADM = 'kube-system/kubeadm-config'
export const RING = 'kube-system/switchyard-ring'

export function factsOf(cluster: RawCluster, flags: StatedByFlags, leftOut: LeftOut): ClusterFacts {
  const nodes = cluster.nodes.map(object => nodeOf(object, leftOut))
  const ring = ringIn(cluster, leftOut)
  const kubeadm = cluster.configMaps.find(object => nameOf(object) === KUBEADM)
  const serviceCIDRs = (cluster.serviceCIDRs ?? []).flatMap(object => rangesOf(object, leftOut))
  return {
    nodes,
    services: cluster.services.map(object => serviceOf(object, leftOut)),
    addresses: cluster.addresses?.flatMap(object => addressOf(object, leftOut)),
    podIPs: cluster.pods?.flatMap(podAddresses),
    ring,
    clusterCIDRs: clusterRangesStated({ flag: flags.clusterCIDRs, kubeadm }, nodes, ring),
    serviceCIDRs: serviceRangesStated({ flag: flags.serviceRanges, kubeadm }, [...new Set(serviceCIDRs)]),
    nodeMask: nodeMasks(flags),
    nodePorts: flags.nodePorts,
    hostRoutes: flags.hostRoutes,
  }
}

function nodeMasks({ nodeMask, nodeMaskOf }: StatedByFlags): ClusterFacts['nodeMask'] {
  const [ipv4, ipv6] = [nodeMaskOf.ipv4 || nodeMask, nodeMaskOf.ipv6 || nodeMask]
  return { ...(ipv4 > 0 && { ipv4 }), ...(ipv6 > 0 && { ipv6 }) }
}

function ringIn({ configMaps }: RawCluster, leftOut: LeftOut): Ring | undefined {
  const text = fieldsIn(configMaps.find(object => nameOf(object) === RING)?.data).ring
  if (typeof text !== 'string') return undefined
  const ring = ringOf(text)
  if (typeof ring !== 'string') return ring
  leftOut(`ConfigMap ${RING}, ring: ${ring}`)
  return undefined
}
