import type { Pod } from '#lab/client/objects.ts'
import { conditionOf, isReady, restartsOf } from '../facts/pod-facts.ts'

// Pods of which some are too many → in the order in which they go: first those that are missed least.

/** On a node with others of the same, a pod is missed less. */
export function firstToGo(pods: readonly Pod[]): readonly Pod[] {
  const onNode = new Map<string, number>()
  for (const { spec } of pods) onNode.set(spec?.nodeName ?? '', (onNode.get(spec?.nodeName ?? '') ?? 0) + 1)
  const ranks = pods.map(pod => ({ pod, rank: rankOf(pod, onNode.get(pod.spec?.nodeName ?? '') ?? 0) }))
  return ranks.sort((a, b) => compared(a.rank, b.rank)).map(({ pod }) => pod)
}

/** Lower goes first. */
function rankOf(pod: Pod, companions: number): readonly (number | string)[] {
  const cost = Number(pod.metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? 0)
  const created = Date.parse(pod.metadata.creationTimestamp ?? '') || 0
  const readySince = Date.parse(conditionOf(pod, 'Ready')?.lastTransitionTime ?? '') || 0
  return [
    pod.spec?.nodeName ? 1 : 0,
    PHASES.indexOf(pod.status?.phase ?? 'Pending'),
    isReady(pod) ? 1 : 0,
    Number.isNaN(cost) ? 0 : cost,
    -companions,
    isReady(pod) ? -readySince : 0,
    -restartsOf(pod),
    -created,
    pod.metadata.name ?? '',
  ]
}

const PHASES = ['Pending', 'Unknown', 'Running']

function compared(a: readonly (number | string)[], b: readonly (number | string)[]): number {
  const at = a.findIndex((value, index) => value !== b[index])
  if (at === -1) return 0
  return a[at]! < b[at]! ? -1 : 1
}
