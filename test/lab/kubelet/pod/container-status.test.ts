import { describe, expect, test } from 'vitest'
import type { Pod } from '#lab/client/objects.ts'
import { containerStatuses } from '#lab/kubelet/pod/container-status.ts'
import { type ContainerStands, NOTHING, type PodStands } from '#lab/kubelet/pod/stands.ts'
import { deleted, ended, pod, running, up } from '../pods.ts'

// One container and what stands of it → what kubectl shows.

const SIDECAR = { name: 'proxy', restartPolicy: 'Always' }
const withInit = pod({ initContainers: [{ name: 'setup' }, SIDECAR], restartPolicy: 'Never' })

function main(stands: PodStands, of: Pod = pod()) {
  return containerStatuses(of, stands).containerStatuses![0]!
}

function inits(stands: PodStands) {
  return containerStatuses(withInit, stands).initContainerStatuses!
}

describe('a container is ready', () => {
  test.each<[string, ContainerStands, boolean, boolean]>([
    ['when it runs and its probe says so', running(), true, true],
    ['but not before', running({ isReady: false }), false, true],
    ['nor before it has started', running({ isReady: false, isStarted: false }), false, false],
    ['nor when it has ended, however well', ended(0), false, false],
  ])('%s', (_, stands, ready, started) => {
    expect(main(up({ main: stands }), pod({ restartPolicy: 'Never' }))).toMatchObject({ ready, started })
  })

  test('also where it is an init container that has succeeded, which a sidecar never has', () => {
    const ready = (code: number) => inits(up({ setup: ended(code), proxy: ended(code) })).map(it => it.ready)
    expect([ready(0), ready(1)]).toEqual([
      [true, false],
      [false, false],
    ])
    expect(inits(up({ setup: ended(0), proxy: running() })).map(it => it.ready)).toEqual([true, true])
  })
})

describe('a container that has ended', () => {
  const crashed = up({ main: ended(3, { restarts: 2 }) })

  test.each<[string, Pod, PodStands]>([
    ['and restarts at once', pod(), up({ main: ended(3) })],
    ['for good', pod({ restartPolicy: 'Never' }), crashed],
    ['well, where only failures restart', pod({ restartPolicy: 'OnFailure' }), up({ main: ended(0, { restarts: 2 }) })],
    ['in a pod that is deleted', deleted(pod()), crashed],
    ['in a pod that the API has forgotten', pod(), { ...crashed, isGone: true }],
  ])('%s is shown as terminated, not as held back', (_, of, stands) => {
    const { state } = main(stands, of)
    expect(Object.keys(state!)).toEqual(['terminated'])
  })

  test.each([
    [1, '10s'],
    [3, '40s'],
    [4, '1m20s'],
    [5, '2m40s'],
    [6, '5m0s'],
    [40, '5m0s'],
  ])('and is held back for the time number %i waits %s, and its end is the last one', (restarts, delay) => {
    const { state, lastState, restartCount, containerID } = main(up({ main: ended(3, { restarts }) }))
    expect(state?.waiting?.reason).toBe('CrashLoopBackOff')
    expect(state?.waiting?.message).toMatch(`back-off ${delay} restarting failed container=main pod=web_shop(uid-1)`)
    expect(lastState?.terminated?.exitCode).toBe(3)
    expect([restartCount, containerID]).toEqual([restarts, 'paper://1'])
  })

  test('is held back in a sidecar also where the pod restarts nothing', () => {
    const [, proxy] = inits(up({ setup: ended(0), proxy: ended(0, { restarts: 1 }), main: running() }))
    expect(proxy?.state?.waiting?.reason).toBe('CrashLoopBackOff')
  })

  test('by a signal, or without having begun, says so', () => {
    const end = { id: 'paper://1', exitCode: 137, startedAt: 0, finishedAt: 61_000 }
    const said = (more: object) => {
      const now = { is: 'ended', end: { ...end, reason: 'Error', ...more } } as ContainerStands['now']
      return main(up({ main: { now, restarts: 0, backOff: 0 } })).state?.terminated
    }
    expect(said({ signal: 9 })).toEqual({
      ...{ exitCode: 137, reason: 'Error', signal: 9, containerID: 'paper://1' },
      ...{ startedAt: '1970-01-01T00:00:00Z', finishedAt: '1970-01-01T00:01:01Z' },
    })
    expect(said({ reason: 'StartError', message: 'no such file' })).toMatchObject({ message: 'no such file' })
  })
})

describe('a container that has not begun', () => {
  test('waits for its network, or for the init containers before it', () => {
    expect(main(NOTHING)).toMatchObject({ state: { waiting: { reason: 'ContainerCreating' } }, lastState: {} })
    expect(main(NOTHING)).not.toHaveProperty('containerID')
    expect(main(up(), withInit).state).toEqual({ waiting: { reason: 'PodInitializing' } })
    expect(inits(up({ setup: running() })).map(({ state }) => Object.keys(state!))).toEqual([['running'], ['waiting']])
  })

  test('keeps its last end where it is refused', () => {
    const { end } = ended(3).now as Extract<ContainerStands['now'], { is: 'ended' }>
    const now = { is: 'refused', reason: 'CreateContainerConfigError', message: 'no map', retryAt: 1 } as const
    const status = main(up({ main: { now, restarts: 1, backOff: 1, last: end } }))
    expect(status.state).toEqual({ waiting: { reason: 'CreateContainerConfigError', message: 'no map' } })
    expect([status.lastState?.terminated?.exitCode, status.containerID]).toEqual([3, 'paper://1'])
  })
})

test('a pod without init containers has no list of them', () => {
  expect(containerStatuses(pod(), NOTHING)).not.toHaveProperty('initContainerStatuses')
})
