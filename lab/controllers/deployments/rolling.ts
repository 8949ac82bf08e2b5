import type { Deployment, ReplicaSet } from '#lab/client/objects.ts'
import type { Write } from '../loop/controller.ts'
import { scaled } from './scaling.ts'
import { boundsOf, replicasOf } from './strategy.ts'

// The ReplicaSets of a Deployment → the next move of a rolling update: the new one up, and then the old ones down.

export interface Sets {
  readonly newest: ReplicaSet
  readonly old: readonly ReplicaSet[]
  /** How many pods it has that are not ending: more than its spec says where they have yet to be deleted. */
  readonly activeOf: (set: ReplicaSet) => number
}

export function rollingWrites(deployment: Deployment, sets: Sets): readonly Write[] {
  const up = scaled(deployment, sets.newest, newestReplicas(deployment, sets))
  // What is taken from the old ones is counted on what the new one has by then.
  return up.length > 0 ? up : oldWrites(deployment, sets)
}

/** As many as the surge allows, and no more than are wanted. Pods that an old ReplicaSet has yet to delete are counted. */
function newestReplicas(deployment: Deployment, { newest, old, activeOf }: Sets): number {
  const [wanted, has] = [replicasOf(deployment), replicasOf(newest)]
  if (has >= wanted) return wanted
  const present = totalOf(old, set => Math.max(replicasOf(set), activeOf(set)))
  const room = wanted + boundsOf(deployment).surge - has - present
  return room <= 0 ? has : has + Math.min(room, wanted - has)
}

function oldWrites(deployment: Deployment, { newest, old }: Sets): readonly Write[] {
  if (totalOf(old, replicasOf) === 0) return []
  const least = replicasOf(deployment) - boundsOf(deployment).unavailable
  const unavailableNew = replicasOf(newest) - availableOf(newest)
  const all = totalOf([newest, ...old], replicasOf)
  const spare = all - least - unavailableNew
  if (spare <= 0) return []
  const next = new Map<ReplicaSet, number>(old.map(set => [set, replicasOf(set)]))
  const removed = removeUnavailable(next, spare)
  // Of those that answer, only as many as there are above the least.
  const available = totalOf([newest, ...old], availableOf)
  removeAvailable(next, Math.min(available - least, spare - removed))
  return [...next].flatMap(([set, replicas]) => (replicas === replicasOf(set) ? [] : scaled(deployment, set, replicas)))
}

/** First go pods that serve nothing. */
function removeUnavailable(next: Map<ReplicaSet, number>, most: number): number {
  let removed = 0
  for (const [set, replicas] of [...next].sort(([a], [b]) => byAge(a, b))) {
    const count = Math.min(most - removed, replicas - availableOf(set))
    if (count <= 0) continue
    next.set(set, replicas - count)
    removed += count
  }
  return removed
}

function removeAvailable(next: Map<ReplicaSet, number>, most: number): void {
  let left = most
  for (const [set, replicas] of [...next].sort(([a], [b]) => byAge(a, b))) {
    const count = Math.min(left, replicas)
    if (count <= 0) continue
    next.set(set, replicas - count)
    left -= count
  }
}

function availableOf({ status }: ReplicaSet): number {
  return status?.availableReplicas ?? 0
}

function totalOf(sets: readonly ReplicaSet[], count: (set: ReplicaSet) => number): number {
  return sets.reduce((sum, set) => sum + count(set), 0)
}

function byAge(a: ReplicaSet, b: ReplicaSet): number {
  return (a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1
}
