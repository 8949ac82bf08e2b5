import type { Deployment, ReplicaSet } from '#lab/client/objects.ts'
import type { Counts, DeploymentCondition } from './counts.ts'
import { isRecreate, replicasOf } from './strategy.ts'

// How a rollout goes → the condition Progressing, and when it would be late.

export interface ProgressFacts {
  readonly newest: ReplicaSet | undefined
  readonly counts: Counts
  readonly now: number
}

export interface Progress {
  readonly conditions: readonly DeploymentCondition[]
  /** Without progress until then, the rollout counts as failed. */
  readonly againMs?: number
}

const COMPLETE = 'NewReplicaSetAvailable'
const LATE = 'ProgressDeadlineExceeded'
const PAUSED = 'DeploymentPaused'

export function progress(deployment: Deployment, { newest, counts, now }: ProgressFacts): Progress {
  const { metadata, status } = deployment
  const conditions = status?.conditions ?? []
  const before = conditions.find(({ type }) => type === 'Progressing')
  const deadlineMs = (deployment.spec?.progressDeadlineSeconds ?? 600) * 1000
  const set = (status: string, reason: string, message: string): Progress => ({
    conditions: withProgress(conditions, { before, status, reason, message, now }),
  })
  if (deployment.spec?.paused === true) {
    // That it is late already stays said.
    return before?.reason === PAUSED || before?.reason === LATE
      ? { conditions }
      : set('Unknown', PAUSED, 'Deployment is paused')
  }
  if (before?.reason === PAUSED) return set('Unknown', 'DeploymentResumed', 'Deployment is resumed')
  // One that is to recreate waits for the old pods to end: where they never do, the rollout is late, too.
  if (newest === undefined && (before === undefined || !isRecreate(deployment))) return { conditions }
  const name = newest === undefined ? `Deployment "${metadata.name}"` : `ReplicaSet "${newest.metadata.name}"`
  // What was complete stays so until there is another template: pods that fail later are no failed rollout.
  if (before?.reason === COMPLETE && before.message === done(name) && counts.replicas === counts.updatedReplicas) {
    return { conditions }
  }
  if (isComplete(deployment, counts)) return set('True', COMPLETE, done(name))
  if (before === undefined || hasProgressed(deployment, counts) || before.reason === COMPLETE) {
    return { ...set('True', 'ReplicaSetUpdated', `${name} is progressing.`), againMs: deadlineMs }
  }
  const leftMs = Date.parse(before.lastUpdateTime ?? '') + deadlineMs - now
  if (before.reason === LATE) return { conditions }
  if (leftMs <= 0) return set('False', LATE, `${name} has timed out progressing.`)
  return { conditions, againMs: leftMs + 1_000 }
}

function done(name: string): string {
  return `${name} has successfully progressed.`
}

function isComplete(deployment: Deployment, counts: Counts): boolean {
  const wanted = replicasOf(deployment)
  return [counts.updatedReplicas, counts.replicas, counts.availableReplicas].every(count => count === wanted)
}

/** More of the new, fewer of the old, or more that are ready. */
function hasProgressed({ status = {} }: Deployment, counts: Counts): boolean {
  const old = (status.replicas ?? 0) - (status.updatedReplicas ?? 0)
  return (
    counts.updatedReplicas > (status.updatedReplicas ?? 0) ||
    counts.replicas - counts.updatedReplicas < old ||
    counts.readyReplicas > (status.readyReplicas ?? 0) ||
    counts.availableReplicas > (status.availableReplicas ?? 0)
  )
}

interface ProgressChange {
  readonly before: DeploymentCondition | undefined
  readonly status: string
  readonly reason: string
  readonly message: string
  readonly now: number
}

/** The time of the last progress counts from here. */
function withProgress(
  conditions: readonly DeploymentCondition[],
  { before, now, ...set }: ProgressChange,
): readonly DeploymentCondition[] {
  const time = new Date(now).toISOString().replace(/\.\d+Z$/, 'Z')
  const since = before?.status === set.status ? before.lastTransitionTime : undefined
  const next = { type: 'Progressing', ...set, lastUpdateTime: time, lastTransitionTime: since ?? time }
  return before === undefined
    ? [next, ...conditions]
    : conditions.map(condition => (condition === before ? next : condition))
}
