import type { Settings } from '#config/settings.ts'
import type { ClusterPlanRequest } from '#ipam/plan/cluster-plan.ts'
import { nodeMasks, usualNodeMask } from '#ipam/plan/node-plan.ts'
import { type Cidr, cidrFamily } from '#values/cidr.ts'

/** Flags of kube-controller-manager and kube-apiserver → what `ranges plan` reckons with. */
export function plannedRanges({
  clusterCIDRs,
  ranges,
}: Pick<Settings, 'clusterCIDRs' | 'ranges'>): Omit<ClusterPlanRequest, 'cooldownMs'> {
  const { serviceRanges, nodePorts, plan } = ranges
  const { maxPods, nodes } = plan
  if (clusterCIDRs.length === 0) {
    throw new Error('ranges plan: --cluster-cidr: is missing; write the range of pods, such as 10.244.0.0/16')
  }
  const clusterRanges = clusterCIDRs.map(range => ({ range, nodeMask: nodeMaskOf(range, ranges) }))
  return { clusterRanges, serviceRanges, nodePorts, maxPods, nodes }
}

function nodeMaskOf(range: Cidr, { nodeMask, nodeMaskOf }: Settings['ranges']): number {
  const family = cidrFamily(range)
  const stated = nodeMaskOf[family] || nodeMask
  const mask = stated === 0 ? usualNodeMask(range) : stated
  const [least, most] = nodeMasks(range)
  if (mask >= least && mask <= most) return mask
  const flag = nodeMaskOf[family] > 0 ? `--node-cidr-mask-size-${family}` : '--node-cidr-mask-size'
  throw new Error(`${flag}: invalid value ${mask}: must be from ${least}, that of ${range} itself, to ${most}`)
}
