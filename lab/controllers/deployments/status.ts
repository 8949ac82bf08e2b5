import { isDeepStrictEqual } from 'node:util'
import type { Deployment, ReplicaSet } from '#lab/client/objects.ts'
import type { Decision } from '../loop/controller.ts'
import { type Counts, countsOf, type DeploymentCondition, type DeploymentStatus } from './counts.ts'
import { progress } from './progress.ts'
import { boundsOf, replicasOf } from './strategy.ts'

// The ReplicaSets of a Deployment → its status, as `kubectl rollout status` reads it.

export interface StatusFacts {
  readonly newest: ReplicaSet | undefined
  readonly all: readonly ReplicaSet[]
  readonly now: number
}

export function deploymentStatus(deployment: Deployment, { newest, all, now }: StatusFacts): Decision {
  const before = deployment.status ?? {}
  const counts = countsOf(deployment, { newest, all })
  const { conditions, againMs } = progress(deployment, { newest, counts, now })
  const status = {
    ...counts,
    conditions: withAvailability(deployment, { conditions, counts, now }),
  }
  const again = againMs === undefined ? {} : { againMs }
  if (isDeepStrictEqual(plain(status), plain(before))) return { writes: [], ...again }
  const object: Deployment = { ...deployment, status }
  return { writes: [{ do: 'replace', object, subresource: 'status' }], ...again }
}

interface AvailabilityFacts {
  readonly conditions: readonly DeploymentCondition[]
  readonly counts: Counts
  readonly now: number
}

function withAvailability(deployment: Deployment, { conditions, counts, now }: AvailabilityFacts) {
  const least = replicasOf(deployment) - boundsOf(deployment).unavailable
  const enough = counts.availableReplicas >= least
  const message = enough ? 'Deployment has minimum availability.' : 'Deployment does not have minimum availability.'
  const reason = enough ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable'
  return withDeploymentCondition(
    conditions,
    { type: 'Available', status: enough ? 'True' : 'False', reason, message },
    now,
  )
}

/** Nothing changes where status and reason are as they were. */
export function withDeploymentCondition(
  conditions: readonly DeploymentCondition[],
  set: Required<Pick<DeploymentCondition, 'type' | 'status' | 'reason' | 'message'>>,
  now: number,
): readonly DeploymentCondition[] {
  const before = conditions.find(({ type }) => type === set.type)
  if (before?.status === set.status && before.reason === set.reason) return conditions
  const time = new Date(now).toISOString().replace(/\.\d+Z$/, 'Z')
  const since = before?.status === set.status ? before.lastTransitionTime : undefined
  const next = { ...set, lastUpdateTime: time, lastTransitionTime: since ?? time }
  return [...conditions.filter(condition => condition !== before), next]
}

/** A count that is 0 may be absent. */
function plain(status: DeploymentStatus): object {
  const { terminatingReplicas: _, conditions = [], ...counts } = status
  const shown = Object.entries(counts).filter(([, count]) => count !== 0)
  return { ...Object.fromEntries(shown), conditions }
}
