import type { V1Pod, V1PodSpec } from '@kubernetes/client-node'
import { textOf } from './checks.ts'
import { type FieldsOf, fieldsOf, unproven } from './fields.ts'
import { decodePod, type NodePod } from './pod.ts'

// A v1 Pod → its addresses, and where it is.

export interface PodOfCluster extends NodePod {
  /** Empty where it has none yet. */
  readonly node: string
  /** It has no network of its own. */
  readonly isOnHost: boolean
}

/** Undefined where it is no pod that has a name of its own. */
export function decodePlacedPod(json: unknown): PodOfCluster | undefined {
  const pod = decodePod(json)
  if (pod === undefined) return undefined
  const spec: FieldsOf<V1PodSpec> = fieldsOf(fieldsOf(unproven<V1Pod>(json)).spec)
  return { ...pod, node: textOf(spec.nodeName) ?? '', isOnHost: spec.hostNetwork === true }
}
