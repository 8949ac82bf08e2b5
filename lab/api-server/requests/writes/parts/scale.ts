import type { V1LabelSelector } from '@kubernetes/client-node'
import type { ApiObject } from '#lab/api-server/object.ts'
import { Refused } from '../../answers.ts'
import { type FieldProblem, invalid } from '../../refusals.ts'
import { shownSelector } from '../../selectors.ts'

// A Deployment or ReplicaSet ⇄ its Scale: how many pods there should be, apart from everything else.

interface Workload {
  readonly spec?: { readonly replicas?: number; readonly selector?: V1LabelSelector }
  readonly status?: { readonly replicas?: number }
}

export const SCALE = { kind: 'Scale', apiVersion: 'autoscaling/v1' }

export function scaleOf(object: ApiObject): ApiObject {
  const { spec, status } = object as Workload
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  return {
    ...SCALE,
    metadata: {
      ...(name !== undefined && { name }),
      ...(namespace !== undefined && { namespace }),
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== undefined && { resourceVersion }),
      ...(creationTimestamp !== undefined && { creationTimestamp }),
    },
    spec: { replicas: spec?.replicas ?? 0 },
    status: { replicas: status?.replicas ?? 0, selector: shownSelector(spec?.selector ?? {}) },
  }
}

export function scaled(object: ApiObject, scale: unknown): ApiObject {
  const { kind, spec, metadata } = (scale ?? {}) as Partial<ApiObject>
  if (kind !== undefined && kind !== 'Scale') throw new Refused(400, `${kind} is no Scale of autoscaling/v1`)
  const replicas = (spec as { readonly replicas?: unknown } | undefined)?.replicas ?? 0
  const { name = '' } = object.metadata
  if (typeof replicas !== 'number' || !Number.isInteger(replicas) || replicas < 0) {
    const message = `Invalid value: ${JSON.stringify(replicas)}: must be greater than or equal to 0`
    const problem: FieldProblem = { reason: 'FieldValueInvalid', field: 'spec.replicas', message }
    throw invalid({ group: 'autoscaling', kind: 'Scale' }, name, [problem])
  }
  const { resourceVersion } = metadata ?? {}
  return {
    ...object,
    metadata: { ...object.metadata, ...(resourceVersion !== undefined && { resourceVersion }) },
    spec: { ...(object.spec as object), replicas },
  }
}
