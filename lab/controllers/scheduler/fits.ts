import type { Node, Pod } from '#lab/client/objects.ts'
import { hasAll, meets } from '../facts/labels.ts'
import { conditionOf } from '../facts/pod-facts.ts'

// A pod and a node → why it cannot run there, in the scheduler's words; nothing where it can.

type Taint = NonNullable<NonNullable<Node['spec']>['taints']>[number]
type Toleration = NonNullable<NonNullable<Pod['spec']>['tolerations']>[number]

export function unfit(pod: Pod, node: Node): string | undefined {
  if (node.spec?.unschedulable === true && !toleratesOne(pod, UNSCHEDULABLE)) return 'node(s) were unschedulable'
  const taint = (node.spec?.taints ?? []).find(it => it.effect !== 'PreferNoSchedule' && !toleratesOne(pod, it))
  if (taint !== undefined) return `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`
  // The taint that says so may not be there as yet. Pods that tolerate it come all the same: such as those that make the network.
  const key = awayKey(node)
  if (key !== undefined && !toleratesOne(pod, { key, effect: 'NoSchedule' })) return 'node(s) were not ready'
  return isSelected(pod, node) ? undefined : "node(s) didn't match Pod's node affinity/selector"
}

export const UNREACHABLE = 'node.kubernetes.io/unreachable'
export const NOT_READY = 'node.kubernetes.io/not-ready'

/** The key of the taint of a node that is not ready; one of which no condition was ever posted is new. */
export function awayKey(node: Node): string | undefined {
  const { status = 'False' } = conditionOf(node, 'Ready') ?? {}
  if (status === 'True') return undefined
  return status === 'False' ? NOT_READY : UNREACHABLE
}

const UNSCHEDULABLE: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }

function toleratesOne({ spec }: Pod, taint: Taint): boolean {
  return (spec?.tolerations ?? []).some(toleration => tolerates(toleration, taint))
}

/** An empty effect tolerates all effects, and no key with `Exists` all taints. */
export function tolerates({ key, operator = 'Equal', value = '', effect }: Toleration, taint: Taint): boolean {
  if (effect && effect !== taint.effect) return false
  if (!key) return operator === 'Exists'
  return key === taint.key && (operator === 'Exists' || value === (taint.value ?? ''))
}

/** nodeSelector and required node affinity: of its terms one must hold. */
function isSelected({ spec }: Pod, { metadata }: Node): boolean {
  const labels = metadata.labels ?? {}
  if (!hasAll(spec?.nodeSelector ?? {}, labels)) return false
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  if (required === undefined) return true
  const fields = { 'metadata.name': metadata.name ?? '' }
  return required.nodeSelectorTerms.some(({ matchExpressions = [], matchFields = [] }) => {
    const isEmpty = matchExpressions.length + matchFields.length === 0
    return !isEmpty && matchExpressions.every(it => meets(it, labels)) && matchFields.every(it => meets(it, fields))
  })
}
