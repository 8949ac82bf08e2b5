import { describe, expect, test } from 'vitest'
import type { Pod, ReplicaSet } from '#lab/client/objects.ts'
import { firstToGo } from '#lab/controllers/replica-sets/first-to-go.ts'
import { replicaSetDecision } from '#lab/controllers/replica-sets/replica-sets.ts'
import { PaperCluster, podOf, runningOn } from '../paper-cluster.ts'

const LABELS = { app: 'web' }

function setOf(replicas: number, more: Partial<ReplicaSet['spec']> = {}): ReplicaSet {
  const template = { metadata: { labels: LABELS }, spec: { containers: [{ name: 'main', image: 'web' }] } }
  const spec = { replicas, selector: { matchLabels: LABELS }, template, ...more }
  return { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { namespace: 'default', name: 'web' }, spec }
}

function settle(cluster: PaperCluster): ReplicaSet {
  const current = () => cluster.one<ReplicaSet>('ReplicaSet', 'default/web')!
  for (let round = 0; round < 20; round++) {
    if (!cluster.apply(replicaSetDecision(current(), cluster.all<Pod>('Pod'), cluster.now))) return current()
  }
  throw new Error('it does not come to rest')
}

describe('a ReplicaSet', () => {
  test('makes the pods it lacks, owned and labelled, with an Event for each', () => {
    const cluster = new PaperCluster()
    const { metadata } = cluster.put(setOf(3))
    settle(cluster)
    const pods = cluster.list<Pod>('Pod')
    expect(pods).toHaveLength(3)
    expect(pods[0]?.metadata).toMatchObject({
      labels: LABELS,
      ownerReferences: [{ kind: 'ReplicaSet', name: 'web', uid: metadata.uid, controller: true }],
    })
    expect(pods[0]?.metadata.name).toMatch(/^web-\w{5}$/)
    expect(cluster.notes).toHaveLength(3)
    expect(cluster.notes[0]).toBe(`SuccessfulCreate: Created pod: ${pods[0]?.metadata.name}`)
  })

  test('replaces pods that have ended, and those that are on their way', () => {
    const cluster = new PaperCluster()
    cluster.put(setOf(2))
    settle(cluster)
    const [first, second] = cluster.list<Pod>('Pod')
    cluster.put({ ...first!, status: { phase: 'Failed' } })
    cluster.put({ ...second!, metadata: { ...second!.metadata, deletionTimestamp: cluster.time() } })
    expect(settle(cluster).status?.replicas).toBe(2)
    expect(cluster.list('Pod')).toHaveLength(4)
  })

  test('adopts pods that fit and have no owner, before it makes others, and lets go those that fit no longer', () => {
    const cluster = new PaperCluster()
    cluster.put(setOf(2))
    cluster.put(podOf('lonely', { metadata: { namespace: 'default', labels: LABELS } }))
    cluster.put(podOf('elsewhere', { metadata: { namespace: 'shop', labels: LABELS } }))
    settle(cluster)
    const owned = () => cluster.list<Pod>('Pod').filter(({ metadata }) => metadata.ownerReferences !== undefined)
    expect(owned().map(({ metadata }) => metadata.name)).toContain('lonely')
    expect(owned()).toHaveLength(2)
    const lonely = cluster.one<Pod>('Pod', 'default/lonely')!
    cluster.put({ ...lonely, metadata: { ...lonely.metadata, labels: { app: 'debug' } } })
    settle(cluster)
    expect(cluster.one<Pod>('Pod', 'default/lonely')?.metadata.ownerReferences).toBeUndefined()
    expect(owned()).toHaveLength(2)
  })

  test('that is being deleted makes and adopts nothing', () => {
    const cluster = new PaperCluster()
    const set = cluster.put(setOf(2))
    cluster.put(podOf('lonely', { metadata: { namespace: 'default', labels: LABELS } }))
    cluster.put({ ...set, metadata: { ...set.metadata, deletionTimestamp: cluster.time() } })
    settle(cluster)
    expect(cluster.list<Pod>('Pod').map(({ metadata }) => metadata.ownerReferences)).toEqual([undefined])
  })

  test('counts a pod as available when it has been ready for long enough, and looks again then', () => {
    const cluster = new PaperCluster()
    cluster.put(setOf(1, { minReadySeconds: 10 }))
    settle(cluster)
    const [pod] = cluster.list<Pod>('Pod')
    const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: cluster.time() }]
    cluster.put({ ...pod!, status: { phase: 'Running', conditions } })
    cluster.now += 4_000
    expect(settle(cluster).status).toMatchObject({ replicas: 1, readyReplicas: 1, availableReplicas: 0 })
    const set = cluster.one<ReplicaSet>('ReplicaSet', 'default/web')!
    expect(replicaSetDecision(set, cluster.all<Pod>('Pod'), cluster.now).againMs).toBe(6_000)
    cluster.now += 6_000
    expect(settle(cluster).status).toMatchObject({ availableReplicas: 1, observedGeneration: 1 })
  })
})

describe('of pods that are too many goes first', () => {
  const at = (minute: number) => `2026-03-01T11:${String(minute).padStart(2, '0')}:00Z`
  const ready = (minute: number) => ({ type: 'Ready', status: 'True', lastTransitionTime: at(minute) })
  const born = (name: string, minute: number, more: Partial<Pod> = {}) =>
    podOf(name, { ...more, metadata: { ...more.metadata, creationTimestamp: at(minute) } })
  const running = runningOn('node-1', '10.0.0.1')

  test.each<[string, Pod, Pod]>([
    ['one without a node', born('first', 1), born('second', 2, running)],
    [
      'one that does not run yet',
      born('first', 1, { ...running, status: { phase: 'Pending' } }),
      born('second', 2, running),
    ],
    ['one that is not ready', born('first', 1, runningOn('node-1', '10.0.0.1', 'False')), born('second', 2, running)],
    [
      'one that costs less to delete',
      born('first', 1, {
        ...running,
        metadata: { annotations: { 'controller.kubernetes.io/pod-deletion-cost': '-5' } },
      }),
      born('second', 2, running),
    ],
    [
      'one that was ready for a shorter time',
      born('first', 1, { ...running, status: { ...running.status!, conditions: [ready(9)] } }),
      born('second', 2, { ...running, status: { ...running.status!, conditions: [ready(5)] } }),
    ],
    [
      'one that restarted more often',
      born('first', 1, {
        ...running,
        status: { ...running.status!, containerStatuses: [{ name: 'main', restartCount: 4 }] as never },
      }),
      born('second', 2, running),
    ],
    ['the newer one', born('first', 2, running), born('second', 1, running)],
  ])('%s', (_, first, second) => {
    expect(firstToGo([second, first]).map(({ metadata }) => metadata.name)).toEqual(['first', 'second'])
  })

  test('one on a node with others of the same', () => {
    const pods = [born('alone', 3, runningOn('node-2', '10.0.0.3')), born('a', 1, running), born('b', 2, running)]
    expect(firstToGo(pods).map(({ metadata }) => metadata.name)).toEqual(['b', 'a', 'alone'])
  })
})
