import { isDeepStrictEqual } from 'node:util'
import type { Pod, ReplicaSet } from '#lab/client/objects.ts'
import { hasAll } from '../facts/labels.ts'
import { isReady, untilAvailable } from '../facts/pod-facts.ts'
import type { Write } from '../loop/controller.ts'

// The pods of a ReplicaSet → its status, where that is another than before.

export interface StatusChange {
  readonly write?: Write
  /** A pod counts as available then, if it stays ready. */
  readonly againMs?: number
}

export function replicaSetStatus(set: ReplicaSet, active: readonly Pod[], now: number): StatusChange {
  const { minReadySeconds = 0, template } = set.spec ?? {}
  const waits = active.map(pod => untilAvailable(pod, minReadySeconds, now))
  const labels = template?.metadata?.labels ?? {}
  const status = {
    replicas: active.length,
    fullyLabeledReplicas: active.filter(pod => hasAll(labels, pod.metadata.labels)).length,
    readyReplicas: active.filter(isReady).length,
    availableReplicas: waits.filter(ms => ms === 0).length,
    observedGeneration: set.metadata.generation ?? 0,
  }
  const next = waits.filter(ms => ms > 0 && ms < Number.POSITIVE_INFINITY)
  const again = next.length === 0 ? {} : { againMs: Math.min(...next) }
  const { conditions, ...before } = set.status ?? {}
  const known = { readyReplicas: 0, availableReplicas: 0, fullyLabeledReplicas: 0, observedGeneration: 0, ...before }
  if (isDeepStrictEqual(known, status)) return again
  const object = { ...set, status: { ...status, ...(conditions && { conditions }) } }
  return { ...again, write: { do: 'replace', object, subresource: 'status' } }
}
