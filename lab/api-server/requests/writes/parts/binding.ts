import type { ApiObject } from '#lab/api-server/object.ts'
import { Refused } from '../../answers.ts'
import { conflict } from '../../refusals.ts'
import { PODS } from '../../resources.ts'

// pods/binding: the scheduler's word that a pod goes to a node → the pod with that.

interface Binding {
  readonly target?: { readonly kind?: string; readonly name?: string }
}

export function boundPod(pod: ApiObject, body: unknown, time: string): ApiObject {
  const { target } = (body ?? {}) as Binding
  const { name = '', deletionTimestamp } = pod.metadata
  if (!target?.name) throw new Refused(400, 'target.name: Required value: the node that the pod goes to')
  if (target.kind !== undefined && target.kind !== '' && target.kind !== 'Node') {
    throw new Refused(400, `target.kind: Unsupported value: ${JSON.stringify(target.kind)}: supported values: "Node"`)
  }
  const spec = pod.spec as { readonly nodeName?: string }
  const refused = (why: string) => conflict({ ...PODS, plural: 'pods/binding' }, name, why)
  if (deletionTimestamp !== undefined) throw refused(`pod ${name} is being deleted, cannot be assigned to a host`)
  if (spec.nodeName) throw refused(`pod ${name} is already assigned to node ${JSON.stringify(spec.nodeName)}`)
  return { ...pod, spec: { ...spec, nodeName: target.name }, status: withScheduled(pod.status, time) }
}

interface Status {
  readonly conditions?: readonly { readonly type: string }[]
}

function withScheduled(status: unknown, lastTransitionTime: string): object {
  const { conditions = [], ...rest } = (status ?? {}) as Status
  const scheduled = { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime }
  return { ...rest, conditions: [...conditions.filter(({ type }) => type !== 'PodScheduled'), scheduled] }
}
