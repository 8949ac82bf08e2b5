import { keyOf } from '#lab/client/cluster-client.ts'
import type { Deployment, Pod, ReplicaSet } from '#lab/client/objects.ts'
import { selects } from '../facts/labels.ts'
import { claimed, controllerOf } from '../facts/owners.ts'
import { hasEnded, isActive } from '../facts/pod-facts.ts'
import { type Controller, type Decision, type Look, NOTHING, type Write } from '../loop/controller.ts'
import { newestWrites } from './newest.ts'
import { expired } from './revisions.ts'
import { rollingWrites } from './rolling.ts'
import { proportional, scaled, wasScaled } from './scaling.ts'
import { deploymentStatus } from './status.ts'
import { isRecreate, replicasOf } from './strategy.ts'
import { replicaSetFor } from './template.ts'

// Deployments → ReplicaSets, one for each template they had, of which the newest has the pods once a rollout is done.

export function deployments(): Controller {
  return {
    name: 'deployment-controller',
    follows: [
      { kind: 'Deployment', keys: deployment => [keyOf(deployment)] },
      { kind: 'ReplicaSet', keys: (set, look) => ownersOf(set as ReplicaSet, look) },
      // The room for new pods grows with the end of each old one.
      { kind: 'Pod', keys: (pod, look) => (isPresent(pod as Pod, look) ? [] : deploymentOf(pod as Pod, look)) },
    ],
    decide: (key, look) => {
      const deployment = look.one<Deployment>('Deployment', key)
      if (deployment === undefined) return NOTHING
      return deploymentDecision(deployment, {
        sets: look.all<ReplicaSet>('ReplicaSet'),
        pods: look.all<Pod>('Pod'),
        now: look.now,
      })
    },
  }
}

export interface DeploymentFacts {
  readonly sets: Iterable<ReplicaSet>
  readonly pods: Iterable<Pod>
  readonly now: number
}

/** One move at a time: the next one is decided when its effect is seen. */
export function deploymentDecision(deployment: Deployment, { sets, pods, now }: DeploymentFacts): Decision {
  const claim = claimed(deployment, sets, set => selects(deployment.spec?.selector, set.metadata.labels))
  const all = claim.owned.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  const newest = replicaSetFor(deployment, all)
  const old = all.filter(set => set !== newest)
  const status = deploymentStatus(deployment, { newest, all, now })
  if (deployment.metadata.deletionTimestamp !== undefined) return status
  if (claim.writes.length > 0) return { writes: claim.writes }
  const moves = movesOf(deployment, { newest, old, pods })
  // The Deployment itself is written once in a decision.
  const writesItself = moves.some(write => write.do === 'patch')
  return writesItself ? { writes: moves } : { ...status, writes: [...moves, ...status.writes] }
}

interface MoveFacts {
  readonly newest: ReplicaSet | undefined
  readonly old: readonly ReplicaSet[]
  readonly pods: Iterable<Pod>
}

function movesOf(deployment: Deployment, facts: MoveFacts): readonly Write[] {
  const { newest, old, pods } = facts
  const all = newest === undefined ? old : [newest, ...old]
  if (deployment.spec?.paused === true) return proportional(deployment, all)
  if (isRecreate(deployment)) {
    const down = old.flatMap(set => (replicasOf(set) > 0 ? scaled(deployment, set, 0) : []))
    if (down.length > 0) return down
    if (hasRunning(old, pods)) return []
  }
  const marked = newestWrites(deployment, facts)
  if (marked.length > 0 || newest === undefined) return marked
  if (wasScaled(deployment, all)) return proportional(deployment, all)
  const moves = isRecreate(deployment)
    ? scaled(deployment, newest, replicasOf(deployment))
    : rollingWrites(deployment, { newest, old, activeOf: activeCount(pods) })
  return moves.length > 0 ? moves : expired(deployment, old)
}

function activeCount(pods: Iterable<Pod>): (set: ReplicaSet) => number {
  const owners = [...pods].filter(isActive).map(pod => controllerOf(pod)?.uid)
  return ({ metadata: { uid } }) => owners.filter(owner => owner === uid).length
}

/** Also one that is ending still runs. */
function hasRunning(old: readonly ReplicaSet[], pods: Iterable<Pod>): boolean {
  const uids = new Set(old.map(({ metadata }) => metadata.uid))
  for (const pod of pods) {
    if (!hasEnded(pod.status?.phase) && uids.has(controllerOf(pod)?.uid)) return true
  }
  return false
}

function* ownersOf(set: ReplicaSet, look: Look): Iterable<string> {
  const { namespace, labels } = set.metadata
  const owner = controllerOf(set)
  if (owner !== undefined) {
    if (owner.kind === 'Deployment') yield `${namespace}/${owner.name}`
    return
  }
  for (const deployment of look.all<Deployment>('Deployment')) {
    if (deployment.metadata.namespace === namespace && selects(deployment.spec?.selector, labels))
      yield keyOf(deployment)
  }
}

function isPresent(pod: Pod, look: Look): boolean {
  return isActive(pod) && look.one('Pod', keyOf(pod)) !== undefined
}

function deploymentOf(pod: Pod, look: Look): Iterable<string> {
  const owner = controllerOf(pod)
  if (owner?.kind !== 'ReplicaSet') return []
  const set = look.one<ReplicaSet>('ReplicaSet', `${pod.metadata.namespace}/${owner.name}`)
  return set === undefined ? [] : ownersOf(set, look)
}
