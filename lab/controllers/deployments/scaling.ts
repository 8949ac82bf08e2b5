import type { Deployment, ReplicaSet } from '#lab/client/objects.ts'
import type { Write } from '../loop/controller.ts'
import { DESIRED, MOST, revisionOf, scaleAnnotations } from './revisions.ts'
import { boundsOf, replicasOf } from './strategy.ts'

// A ReplicaSet and the number of pods it is to have → the write, with the Event that `kubectl describe` shows.

export function scaled(deployment: Deployment, set: ReplicaSet, replicas: number): readonly Write[] {
  const annotations = { ...set.metadata.annotations, ...scaleAnnotations(deployment, boundsOf(deployment).surge) }
  const from = replicasOf(set)
  const isAnnotated = [DESIRED, MOST].every(name => set.metadata.annotations?.[name] === annotations[name])
  if (from === replicas && isAnnotated) return []
  const object: ReplicaSet = { ...set, metadata: { ...set.metadata, annotations }, spec: { ...set.spec!, replicas } }
  if (from === replicas) return [{ do: 'replace', object }]
  const direction = replicas > from ? 'up' : 'down'
  const message = `Scaled ${direction} replica set ${set.metadata.name} from ${from} to ${replicas}`
  const note = { about: deployment, type: 'Normal', reason: 'ScalingReplicaSet', message } as const
  return [{ do: 'replace', object, note }]
}

/** The Deployment was given another number of replicas since its ReplicaSets were last scaled. */
export function wasScaled(deployment: Deployment, sets: readonly ReplicaSet[]): boolean {
  return sets.some(set => {
    const desired = set.metadata.annotations?.[DESIRED]
    return replicasOf(set) > 0 && desired !== undefined && Number(desired) !== replicasOf(deployment)
  })
}

/**
 * Where it was scaled in the middle of an update, or while it was paused, each ReplicaSet keeps its share: the difference goes
 * to all of them by size, and what is left over by rounding to the largest.
 */
export function proportional(deployment: Deployment, sets: readonly ReplicaSet[]): readonly Write[] {
  const active = sets.filter(set => replicasOf(set) > 0)
  if (active.length <= 1) {
    // Of several with no pods, the one that had them last.
    const only = active[0] ?? [...sets].sort((a, b) => revisionOf(b) - revisionOf(a))[0]
    return only === undefined ? [] : scaled(deployment, only, replicasOf(deployment))
  }
  const total = active.reduce((sum, set) => sum + replicasOf(set), 0)
  const wanted = replicasOf(deployment)
  const allowed = wanted === 0 ? 0 : wanted + boundsOf(deployment).surge
  const toAdd = allowed - total
  const bySize = [...active].sort((a, b) => replicasOf(b) - replicasOf(a) || order(a, b) * (toAdd > 0 ? -1 : 1))
  let left = toAdd
  const next = bySize.map(set => {
    const share = clamped(Math.round(shareOf(set, allowed)), left)
    left -= share
    return { set, replicas: replicasOf(set) + share }
  })
  return next.flatMap(({ set, replicas }, index) =>
    scaled(deployment, set, Math.max(0, index === 0 ? replicas + left : replicas)),
  )
}

/** By how much a ReplicaSet grows where all grow alike. */
function shareOf(set: ReplicaSet, allowed: number): number {
  const before = Number(set.metadata.annotations?.[MOST] ?? 0)
  return before === 0 ? 0 : (replicasOf(set) * allowed) / before - replicasOf(set)
}

function clamped(share: number, left: number): number {
  return left > 0 ? Math.min(Math.max(share, 0), left) : Math.max(Math.min(share, 0), left)
}

/** Older first. */
function order(a: ReplicaSet, b: ReplicaSet): number {
  return (a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1
}
