import { describe, expect, test } from 'vitest'
import type { Pod } from '#lab/client/objects.ts'
import { NOTHING, type PodStands } from '#lab/kubelet/pod/stands.ts'
import { podStatus } from '#lab/kubelet/pod/status.ts'
import { deleted, ended, pod, running, up } from '../pods.ts'

const FACTS = { hostIPs: ['10.99.0.11', 'fd00:99::11'], now: Date.UTC(2026, 0, 1) }
const statusOf = (of: Pod, stands: PodStands) => podStatus(of, stands, FACTS)

/** `Ready=True`, … of our own conditions. */
function conditions(of: Pod, stands: PodStands): readonly string[] {
  return statusOf(of, stands).conditions!.map(({ type, status }) => `${type}=${status}`)
}

function stateOf(of: Pod, stands: PodStands) {
  return statusOf(of, stands).containerStatuses![0]!.state
}

describe('the status of a pod', () => {
  test('is Pending and ContainerCreating until its network is there', () => {
    expect(statusOf(pod(), NOTHING)).toMatchObject({ phase: 'Pending', hostIP: '10.99.0.11' })
    expect(stateOf(pod(), NOTHING)).toEqual({ waiting: { reason: 'ContainerCreating' } })
    expect(conditions(pod(), NOTHING)).toEqual([
      'PodReadyToStartContainers=False',
      'Initialized=True',
      'Ready=False',
      'ContainersReady=False',
      'PodScheduled=True',
    ])
  })

  test('is Running and Ready with the addresses of both families once its containers are', () => {
    const stands = up({ main: running() })
    expect(statusOf(pod(), stands)).toMatchObject({
      phase: 'Running',
      podIP: '10.244.1.2',
      podIPs: [{ ip: '10.244.1.2' }, { ip: 'fd00:244:1::2' }],
      containerStatuses: [{ name: 'main', ready: true, started: true, restartCount: 0 }],
    })
    expect(conditions(pod(), stands)).toContain('Ready=True')
  })

  test('has the addresses of the node where the pod is in its network', () => {
    const { podIPs } = statusOf(pod({ hostNetwork: true }), up({ main: running() }))
    expect(podIPs).toEqual([{ ip: '10.99.0.11' }, { ip: 'fd00:99::11' }])
  })

  test('names the containers that are not ready', () => {
    const two = pod({ containers: [{ name: 'one' }, { name: 'two' }] })
    const ready = statusOf(two, up({ one: running(), two: running({ isReady: false }) })).conditions!.find(
      ({ type }) => type === 'Ready',
    )
    expect(ready).toMatchObject({
      ...{ status: 'False', reason: 'ContainersNotReady' },
      message: 'containers with unready status: [two]',
    })
  })

  test('shows init containers, and PodInitializing until they are done', () => {
    const init = pod({ initContainers: [{ name: 'a' }] })
    expect(statusOf(init, up({ a: running() }))).toMatchObject({
      phase: 'Pending',
      initContainerStatuses: [{ name: 'a', state: { running: {} } }],
      containerStatuses: [{ state: { waiting: { reason: 'PodInitializing' } } }],
    })
    expect(conditions(init, up({ a: running() }))).toContain('Initialized=False')
    const done = statusOf(init, up({ a: ended(0), main: running() }))
    expect(done).toMatchObject({ phase: 'Running', initContainerStatuses: [{ ready: true }] })
  })

  test('stays Running and Initialized when a sidecar ends later', () => {
    const init = pod({ initContainers: [{ name: 'proxy', restartPolicy: 'Always' }] })
    const stands = up({ proxy: ended(1, { restarts: 3 }), main: running() })
    expect(statusOf(init, stands).phase).toBe('Running')
    expect(conditions(init, stands)).toEqual(expect.arrayContaining(['Initialized=True', 'Ready=False']))
    const starting = up({ proxy: running({ isStarted: false }) })
    expect(statusOf(init, starting).phase).toBe('Pending')
    expect(conditions(init, starting)).toContain('Initialized=False')
  })

  test.each([
    [0, 'Succeeded', 'Completed'],
    [3, 'Failed', 'Error'],
  ])('of a pod that ended with %i is %s, its container %s, and its address stays', (exitCode, phase, reason) => {
    const stands: PodStands = { ...up({ main: ended(exitCode) }), sandbox: { is: 'removed', ips: ['10.244.1.2'] } }
    const over = pod({ restartPolicy: 'Never' })
    expect(statusOf(over, stands)).toMatchObject({ phase, podIP: '10.244.1.2' })
    expect(stateOf(over, stands)?.terminated).toMatchObject({ exitCode, reason })
    expect(conditions(over, stands)).toContain('Ready=False')
  })

  test('of a container that is held back is CrashLoopBackOff, with its last end', () => {
    const [status] = statusOf(pod(), up({ main: ended(3, { restarts: 4 }) })).containerStatuses!
    expect(status).toMatchObject({ restartCount: 4, lastState: { terminated: { exitCode: 3, reason: 'Error' } } })
    expect(status!.state).toEqual({
      waiting: {
        reason: 'CrashLoopBackOff',
        message: 'back-off 1m20s restarting failed container=main pod=web_shop(uid-1)',
      },
    })
  })

  test('of a container whose variables cannot be found says which one is missing', () => {
    const now = { is: 'refused', reason: 'CreateContainerConfigError', message: 'no map', retryAt: 1 } as const
    expect(stateOf(pod(), up({ main: { now, restarts: 0, backOff: 0 } }))).toEqual({
      waiting: { reason: 'CreateContainerConfigError', message: 'no map' },
    })
  })

  test('of a pod that is being deleted stays Running while its containers run', () => {
    const stands = up({ main: running({ ending: 'PodEnds', killAt: 1 }) })
    expect(statusOf(deleted(pod()), stands).phase).toBe('Running')
    expect(conditions(deleted(pod()), stands)).toContain('Ready=True')
  })

  test('keeps conditions of other programs, and the times of those that have not changed', () => {
    const before = '2025-12-31T00:00:00Z'
    const status = {
      startTime: before,
      conditions: [
        { type: 'PodScheduled', status: 'True', lastTransitionTime: before },
        { type: 'Ready', status: 'True', lastTransitionTime: before },
        { type: 'Initialized', status: 'False', lastTransitionTime: before },
      ],
    }
    const again = statusOf({ ...pod(), status }, up({ main: running() }))
    const times = Object.fromEntries(
      again.conditions!.map(({ type, lastTransitionTime }) => [type, lastTransitionTime]),
    )
    expect(again.startTime).toBe(before)
    expect(times).toMatchObject({ PodScheduled: before, Ready: before, Initialized: '2026-01-01T00:00:00Z' })
  })
})
