import { describe, expect, test } from 'vitest'
import type { Deployment, ReplicaSet } from '#lab/client/objects.ts'
import type { Counts } from '#lab/controllers/deployments/counts.ts'
import { progress } from '#lab/controllers/deployments/progress.ts'
import { deploymentOf } from './rollout.ts'

// What was said of a rollout and what there is now → what is said, and when it is looked at again.

const NOW = Date.parse('2026-03-01T12:00:00Z')
const NEWEST = { metadata: { name: 'web-2' } } as ReplicaSet
const DONE = 'ReplicaSet "web-2" has successfully progressed.'

/** Of three that are wanted: all there are, of these the new ones, the ready and the available. */
function countsOf([replicas, updatedReplicas, readyReplicas, availableReplicas]: readonly number[]): Counts {
  return { replicas, updatedReplicas, readyReplicas, availableReplicas, unavailableReplicas: 0 } as Counts
}

interface SaidOptions {
  readonly reason?: string
  readonly message?: string
  readonly secondsAgo?: number
  readonly counts?: readonly number[]
  readonly paused?: boolean
  readonly recreate?: true
}

const STATUS: Readonly<Record<string, string>> = {
  ProgressDeadlineExceeded: 'False',
  DeploymentPaused: 'Unknown',
  DeploymentResumed: 'Unknown',
}

function said({
  reason,
  message = '',
  secondsAgo = 0,
  counts = [3, 3, 3, 3],
  paused = false,
  recreate,
}: SaidOptions): Deployment {
  const strategy = { type: recreate ? 'Recreate' : 'RollingUpdate' }
  const deployment = deploymentOf(3, { progressDeadlineSeconds: 60, paused, strategy })
  const time = new Date(NOW - secondsAgo * 1000).toISOString()
  const times = { lastUpdateTime: time, lastTransitionTime: time }
  const before = {
    type: 'Progressing',
    status: STATUS[reason ?? ''] ?? 'True',
    reason: reason ?? '',
    message,
    ...times,
  }
  return { ...deployment, status: { ...countsOf(counts), conditions: reason === undefined ? [] : [before] } }
}

/** `True ReplicaSetUpdated`, and the milliseconds until the next look. */
function found(deployment: Deployment, counts: readonly number[], which: 'newest' | 'none' = 'newest') {
  const newest = which === 'none' ? undefined : NEWEST
  const { conditions, againMs } = progress(deployment, { newest, counts: countsOf(counts), now: NOW })
  const condition = conditions.find(({ type }) => type === 'Progressing')
  return [condition && `${condition.status} ${condition.reason}`, againMs]
}

describe('a rollout', () => {
  test.each<[string, SaidOptions, readonly number[], readonly unknown[]]>([
    ['begins', {}, [0, 0, 0, 0], ['True ReplicaSetUpdated', 60_000]],
    ['is complete when all are new and available', {}, [3, 3, 3, 3], ['True NewReplicaSetAvailable', undefined]],
    ['is not while an old one is left', { reason: 'A', counts: [4, 3, 4, 4] }, [4, 3, 4, 4], ['True A', 61_000]],
    ['moves with a new pod', { reason: 'A', counts: [3, 0, 3, 3] }, [4, 1, 3, 3], ['True ReplicaSetUpdated', 60_000]],
    [
      'moves with an old one less',
      { reason: 'A', counts: [4, 1, 4, 4] },
      [3, 1, 3, 3],
      ['True ReplicaSetUpdated', 60_000],
    ],
    [
      'moves with one more that is ready',
      { reason: 'A', counts: [4, 1, 3, 3] },
      [4, 1, 4, 3],
      ['True ReplicaSetUpdated', 60_000],
    ],
    [
      'waits for what is left of its time',
      { reason: 'A', secondsAgo: 59, counts: [4, 1, 3, 3] },
      [4, 1, 3, 3],
      ['True A', 2_000],
    ],
    [
      'is late after that',
      { reason: 'A', secondsAgo: 60, counts: [4, 1, 3, 3] },
      [4, 1, 3, 3],
      ['False ProgressDeadlineExceeded', undefined],
    ],
    [
      'stays late',
      { reason: 'ProgressDeadlineExceeded', counts: [4, 1, 3, 3] },
      [4, 1, 3, 3],
      ['False ProgressDeadlineExceeded', undefined],
    ],
    [
      'that was late moves again',
      { reason: 'ProgressDeadlineExceeded', counts: [4, 1, 3, 3] },
      [4, 1, 4, 4],
      ['True ReplicaSetUpdated', 60_000],
    ],
    [
      'that was late is complete',
      { reason: 'ProgressDeadlineExceeded', counts: [3, 3, 2, 2] },
      [3, 3, 3, 3],
      ['True NewReplicaSetAvailable', undefined],
    ],
    [
      'begins anew after another',
      { reason: 'NewReplicaSetAvailable', message: 'ReplicaSet "web-1" …', secondsAgo: 999 },
      [3, 0, 3, 3],
      ['True ReplicaSetUpdated', 60_000],
    ],
    [
      'is no failure when a pod fails later',
      { reason: 'NewReplicaSetAvailable', message: DONE, secondsAgo: 999 },
      [3, 3, 2, 2],
      ['True NewReplicaSetAvailable', undefined],
    ],
    [
      'is no new one when it is scaled',
      { reason: 'NewReplicaSetAvailable', message: DONE, secondsAgo: 999 },
      [2, 2, 2, 2],
      ['True NewReplicaSetAvailable', undefined],
    ],
    ['is paused', { reason: 'A', paused: true }, [4, 1, 3, 3], ['Unknown DeploymentPaused', undefined]],
    [
      'that is late stays so while it is paused',
      { reason: 'ProgressDeadlineExceeded', paused: true },
      [4, 1, 3, 3],
      ['False ProgressDeadlineExceeded', undefined],
    ],
    [
      'is never late while it is paused',
      { reason: 'DeploymentPaused', paused: true, secondsAgo: 999 },
      [4, 1, 3, 3],
      ['Unknown DeploymentPaused', undefined],
    ],
    [
      'that is resumed has its whole time again',
      { reason: 'DeploymentPaused', secondsAgo: 999 },
      [4, 1, 3, 3],
      ['Unknown DeploymentResumed', undefined],
    ],
    [
      'that was resumed may be late',
      { reason: 'DeploymentResumed', secondsAgo: 60, counts: [4, 1, 3, 3] },
      [4, 1, 3, 3],
      ['False ProgressDeadlineExceeded', undefined],
    ],
  ])('%s', (_, before, counts, expected) => {
    expect(found(said(before), counts)).toEqual(expected)
  })

  test('that is to recreate begins when the old pods are to end, and is late where they never do', () => {
    const complete = said({
      recreate: true,
      reason: 'NewReplicaSetAvailable',
      message: 'ReplicaSet "web-1" …',
      secondsAgo: 999,
    })
    expect(found(complete, [0, 0, 0, 0], 'none')).toEqual(['True ReplicaSetUpdated', 60_000])
    const waiting = said({ recreate: true, reason: 'ReplicaSetUpdated', secondsAgo: 60, counts: [0, 0, 0, 0] })
    expect(found(waiting, [0, 0, 0, 0], 'none')).toEqual(['False ProgressDeadlineExceeded', undefined])
    expect(found(said({ recreate: true }), [0, 0, 0, 0], 'none')).toEqual([undefined, undefined])
  })
})

test('the time of the last progress moves with each step, that of the status only with the status', () => {
  const now = '2026-03-01T12:00:00Z'
  const before = said({ reason: 'ReplicaSetUpdated', secondsAgo: 30, counts: [3, 0, 3, 3] })
  const at = (counts: readonly number[]) =>
    progress(before, { newest: NEWEST, counts: countsOf(counts), now: NOW }).conditions[0]
  expect(at([4, 1, 3, 3])).toMatchObject({ lastUpdateTime: now, lastTransitionTime: '2026-03-01T11:59:30.000Z' })
  const late = said({ reason: 'ReplicaSetUpdated', secondsAgo: 60, counts: [4, 1, 3, 3] })
  const { conditions } = progress(late, { newest: NEWEST, counts: countsOf([4, 1, 3, 3]), now: NOW })
  expect(conditions[0]).toMatchObject({ lastUpdateTime: now, lastTransitionTime: now })
})
