import type { Deployment, ReplicaSet } from '#lab/client/objects.ts'
import { replicasOf } from './strategy.ts'

// The ReplicaSets of a Deployment → how many pods there are of each sort.

export type DeploymentStatus = NonNullable<Deployment['status']>
export type DeploymentCondition = NonNullable<DeploymentStatus['conditions']>[number]

export interface CountedSets {
  readonly newest: ReplicaSet | undefined
  readonly all: readonly ReplicaSet[]
}

export interface Counts {
  readonly observedGeneration: number
  readonly replicas: number
  readonly updatedReplicas: number
  readonly readyReplicas: number
  readonly availableReplicas: number
  readonly unavailableReplicas: number
}

export function countsOf({ metadata }: Deployment, { newest, all }: CountedSets): Counts {
  const sum = (count: (set: ReplicaSet) => number | undefined) =>
    all.reduce((total, set) => total + (count(set) ?? 0), 0)
  const availableReplicas = sum(set => set.status?.availableReplicas)
  return {
    observedGeneration: metadata.generation ?? 0,
    replicas: sum(set => set.status?.replicas),
    updatedReplicas: newest?.status?.replicas ?? 0,
    readyReplicas: sum(set => set.status?.readyReplicas),
    availableReplicas,
    unavailableReplicas: Math.max(0, sum(replicasOf) - availableReplicas),
  }
}
