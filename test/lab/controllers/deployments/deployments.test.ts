import { describe, expect, test } from 'vitest'
import type { Deployment, Pod, ReplicaSet } from '#lab/client/objects.ts'
import { deploymentOf, Rollout } from './rollout.ts'

// Deployments decide, ReplicaSets decide, pods become ready and end: step by step, until nothing moves.

function conditionsOf(deployment: Deployment): Readonly<Record<string, string>> {
  const conditions = deployment.status?.conditions ?? []
  return Object.fromEntries(conditions.map(({ type, status, reason }) => [type, `${status} ${reason}`]))
}

function countsOf({ status = {} }: Deployment): readonly number[] {
  return [status.replicas, status.updatedReplicas, status.readyReplicas, status.availableReplicas].map(it => it ?? 0)
}

describe('a rollout', () => {
  test('begins with one ReplicaSet of the first revision, and is complete when all its pods are available', () => {
    const rollout = new Rollout(deploymentOf(3))
    rollout.settle()
    const [set] = rollout.sets
    expect(set?.metadata.name).toMatch(/^web-[b-df-hj-np-tv-z2-9]{10}$/)
    expect(set?.metadata.annotations).toMatchObject({
      'deployment.kubernetes.io/revision': '1',
      'deployment.kubernetes.io/desired-replicas': '3',
      'deployment.kubernetes.io/max-replicas': '4',
    })
    expect(set?.metadata.labels).toEqual(set?.spec?.template?.metadata?.labels)
    expect(countsOf(rollout.deployment)).toEqual([3, 3, 3, 3])
    expect(rollout.deployment.status?.observedGeneration).toBe(rollout.deployment.metadata.generation)
    expect(rollout.deployment.metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('1')
    expect(conditionsOf(rollout.deployment)).toEqual({
      Available: 'True MinimumReplicasAvailable',
      Progressing: 'True NewReplicaSetAvailable',
    })
  })

  test('replaces pods step by step, and describe shows each step', () => {
    const rollout = new Rollout(deploymentOf(4))
    rollout.settle()
    const [old] = rollout.sets.map(({ metadata }) => metadata.name)
    rollout.use('v2')
    rollout.settle()
    const fresh = rollout.sets.find(({ metadata }) => metadata.name !== old)?.metadata.name
    const scaling = rollout.cluster.notes.filter(note => note.startsWith('ScalingReplicaSet'))
    expect(scaling.slice(0, 4)).toEqual([
      `ScalingReplicaSet: Scaled up replica set ${old} from 0 to 4`,
      `ScalingReplicaSet: Scaled up replica set ${fresh} from 0 to 1`,
      `ScalingReplicaSet: Scaled down replica set ${old} from 4 to 3`,
      `ScalingReplicaSet: Scaled up replica set ${fresh} from 1 to 2`,
    ])
    expect(rollout.images()).toEqual(['v2', 'v2', 'v2', 'v2'])
  })

  test('goes back to a revision before without another ReplicaSet: it becomes the newest revision', () => {
    const rollout = new Rollout(deploymentOf(2))
    rollout.settle()
    rollout.use('v2')
    rollout.settle()
    rollout.use('v1')
    rollout.settle()
    expect(rollout.images()).toEqual(['v1', 'v1'])
    expect(rollout.revisions()).toEqual({ v1: '3', v2: '2' })
    const back = rollout.sets.find(set => set.spec?.replicas === 2)
    expect(back?.metadata.annotations?.['deployment.kubernetes.io/revision-history']).toBe('1')
  })

  test('keeps as many old ReplicaSets as it is to', () => {
    const rollout = new Rollout(deploymentOf(1, { revisionHistoryLimit: 2 }))
    for (const image of ['v1', 'v2', 'v3', 'v4', 'v5']) {
      rollout.use(image)
      rollout.settle()
    }
    expect(Object.keys(rollout.revisions()).sort()).toEqual(['v3', 'v4', 'v5'])
  })

  test('of a paused Deployment does not begin, though its replicas are followed', () => {
    const rollout = new Rollout(deploymentOf(2))
    rollout.settle()
    rollout.change({ paused: true, replicas: 3 })
    rollout.use('v2')
    rollout.settle()
    expect(rollout.images()).toEqual(['v1', 'v1', 'v1'])
    expect(conditionsOf(rollout.deployment).Progressing).toBe('Unknown DeploymentPaused')
    rollout.change({ paused: false })
    rollout.settle()
    expect(rollout.images()).toEqual(['v2', 'v2', 'v2'])
    expect(conditionsOf(rollout.deployment).Progressing).toBe('True NewReplicaSetAvailable')
  })

  test('that is to recreate starts the first new pod when the last old one has ended', () => {
    const rollout = new Rollout(deploymentOf(3, { strategy: { type: 'Recreate' } }))
    rollout.settle()
    rollout.use('v2')
    rollout.settle({ watch: () => expect(new Set(rollout.images('all')).size).toBeLessThanOrEqual(1) })
    expect(rollout.images()).toEqual(['v2', 'v2', 'v2'])
  })

  test('whose pods do not become ready stops where enough of the old ones are left, and is late in the end', () => {
    const rollout = new Rollout(deploymentOf(4, { progressDeadlineSeconds: 60 }))
    rollout.settle()
    rollout.broken.add('v2')
    rollout.use('v2')
    rollout.settle()
    expect(rollout.images('ready')).toEqual(['v1', 'v1', 'v1'])
    expect(conditionsOf(rollout.deployment)).toEqual({
      Available: 'True MinimumReplicasAvailable',
      Progressing: 'True ReplicaSetUpdated',
    })
    rollout.cluster.now += 62_000
    rollout.settle()
    expect(conditionsOf(rollout.deployment).Progressing).toBe('False ProgressDeadlineExceeded')
    rollout.use('v1')
    rollout.settle()
    expect(rollout.images('ready')).toEqual(['v1', 'v1', 'v1', 'v1'])
    expect(conditionsOf(rollout.deployment).Progressing).toBe('True NewReplicaSetAvailable')
  })

  test('is no new one where an API server fills in more in one template than in the other', () => {
    const rollout = new Rollout(deploymentOf(1))
    rollout.settle()
    const [set] = rollout.sets
    const template = set!.spec!.template!
    const filled = { ...template, spec: { ...template.spec!, dnsPolicy: 'ClusterFirst' } }
    rollout.cluster.put<ReplicaSet>({ ...set!, spec: { ...set!.spec!, template: filled } })
    rollout.settle()
    expect(rollout.sets).toHaveLength(1)
  })
})

describe('scaling', () => {
  test('in the middle of a rollout gives each ReplicaSet its share', () => {
    const rollout = new Rollout(deploymentOf(10, { strategy: rolling('3', '2') }))
    rollout.settle()
    rollout.broken.add('v2')
    rollout.use('v2')
    rollout.settle()
    expect(rollout.replicas()).toEqual({ v1: 8, v2: 5 })
    rollout.change({ replicas: 15 })
    rollout.settle()
    // Of 18 that may be, as 8 to 5.
    expect(rollout.replicas()).toEqual({ v1: 11, v2: 7 })
  })

  test('to none leaves the ReplicaSet, and back again uses it', () => {
    const rollout = new Rollout(deploymentOf(2))
    rollout.settle()
    rollout.change({ replicas: 0 })
    rollout.settle()
    expect(rollout.replicas()).toEqual({ v1: 0 })
    rollout.change({ replicas: 3 })
    rollout.settle()
    expect(rollout.images('ready')).toEqual(['v1', 'v1', 'v1'])
  })
})

describe('at every moment of a rollout', () => {
  const STRATEGIES = [
    rolling('25%', '25%'),
    rolling('0', '1'),
    rolling('1', '0'),
    rolling('100%', '0'),
    rolling('50%', '50%'),
  ]
  const SEEDS = [1, 2, 3, 4, 5, 6]

  test.each(STRATEGIES.flatMap(strategy => SEEDS.map(seed => [strategy.rollingUpdate, seed] as const)))(
    'no fewer pods are available, and no more are there, than %j allows (seed %i)',
    ({ maxSurge, maxUnavailable }, seed) => {
      const rollout = new Rollout(deploymentOf(7, { strategy: rolling(maxSurge, maxUnavailable) }), seed)
      rollout.settle()
      const bound = (text: string, round: (value: number) => number) =>
        text.endsWith('%') ? round((Number(text.slice(0, -1)) * 7) / 100) : Number(text)
      const least = 7 - bound(maxUnavailable, Math.floor)
      const most = 7 + bound(maxSurge, Math.ceil)
      const watch = () => {
        expect(rollout.images('ready').length).toBeGreaterThanOrEqual(least)
        expect(rollout.images().length).toBeLessThanOrEqual(most)
      }
      for (const image of ['v2', 'v3', 'v1', 'v4']) {
        rollout.use(image)
        // Sometimes the next one begins before the last has ended.
        rollout.settle({ watch, steps: rollout.chance(0.5) ? 40 : 10_000 })
      }
      rollout.settle({ watch })
      expect(rollout.images('ready')).toEqual(Array.from({ length: 7 }, () => 'v4'))
      expect(rollout.cluster.list<Pod>('Pod')).toHaveLength(7)
      expect(conditionsOf(rollout.deployment).Progressing).toBe('True NewReplicaSetAvailable')
    },
  )
})

function rolling(maxSurge: string, maxUnavailable: string) {
  return { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } }
}
