import { keyOf } from '#lab/client/cluster-client.ts'
import type { Pod, ReplicaSet } from '#lab/client/objects.ts'
import { selects } from '../facts/labels.ts'
import { claimed, controllerOf, ownerReference } from '../facts/owners.ts'
import { isActive } from '../facts/pod-facts.ts'
import { type Controller, type Decision, type Look, NOTHING, type Write } from '../loop/controller.ts'
import { firstToGo } from './first-to-go.ts'
import { replicaSetStatus } from './status.ts'

// ReplicaSets → as many Pods as each wants, and its status.

export function replicaSets(): Controller {
  return {
    name: 'replicaset-controller',
    follows: [
      { kind: 'ReplicaSet', keys: set => [keyOf(set)] },
      { kind: 'Pod', keys: (pod, look, before) => [...ownersOf(pod, look), ...(before ? ownersOf(before, look) : [])] },
    ],
    decide: (key, look) => {
      const set = look.one<ReplicaSet>('ReplicaSet', key)
      return set === undefined ? NOTHING : replicaSetDecision(set, look.all<Pod>('Pod'), look.now)
    },
  }
}

/** Of one decision; more comes in the next. */
const BURST = 500

export function replicaSetDecision(set: ReplicaSet, pods: Iterable<Pod>, now: number): Decision {
  const selector = set.spec?.selector
  const claim = claimed(set, pods, pod => selects(selector, pod.metadata.labels))
  const active = claim.owned.filter(isActive)
  const surplus = active.length - (set.spec?.replicas ?? 1)
  const isEnding = set.metadata.deletionTimestamp !== undefined
  // Adopted pods count before others are made.
  const settled = claim.writes.length === 0 && !isEnding
  const changes = !settled
    ? []
    : surplus > 0
      ? removals(set, active, surplus)
      : additions(set, Math.min(-surplus, BURST))
  const { write, againMs } = replicaSetStatus(set, active, now)
  const status = write === undefined || isEnding ? [] : [write]
  return { writes: [...claim.writes, ...changes, ...status], ...(againMs !== undefined && { againMs }) }
}

function removals(set: ReplicaSet, active: readonly Pod[], surplus: number): readonly Write[] {
  return firstToGo(active)
    .slice(0, surplus)
    .map(pod => {
      const message = `Deleted pod: ${pod.metadata.name}`
      return { do: 'delete', object: pod, note: { about: set, type: 'Normal', reason: 'SuccessfulDelete', message } }
    })
}

function additions(set: ReplicaSet, missing: number): readonly Write[] {
  const { name = '', namespace } = set.metadata
  const { metadata = {}, spec } = set.spec?.template ?? {}
  const own = {
    generateName: `${name}-`,
    ...(namespace !== undefined && { namespace }),
    ...(metadata.labels && { labels: metadata.labels }),
    ...(metadata.annotations && { annotations: metadata.annotations }),
    ...(metadata.finalizers && { finalizers: metadata.finalizers }),
    ownerReferences: [ownerReference(set)],
  }
  const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: own, ...(spec && { spec }) }
  return Array.from({ length: Math.max(0, missing) }, () => ({
    do: 'create',
    object: pod,
    note: made => {
      const message = `Created pod: ${made.metadata.name}`
      return { about: set, type: 'Normal', reason: 'SuccessfulCreate', message }
    },
  }))
}

/** Of a pod without a controller, all that may adopt it. */
function* ownersOf(pod: Pod, look: Look): Iterable<string> {
  const { namespace, labels } = pod.metadata
  const owner = controllerOf(pod)
  if (owner !== undefined) {
    if (owner.kind === 'ReplicaSet') yield `${namespace}/${owner.name}`
    return
  }
  for (const set of look.all<ReplicaSet>('ReplicaSet')) {
    if (set.metadata.namespace === namespace && selects(set.spec?.selector, labels)) yield keyOf(set)
  }
}
