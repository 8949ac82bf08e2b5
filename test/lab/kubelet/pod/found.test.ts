import { expect, test } from 'vitest'
import type { Pod } from '#lab/client/objects.ts'
import { standsFound } from '#lab/kubelet/pod/found.ts'
import { planOf } from '#lab/kubelet/pod/plan.ts'
import { podStatus } from '#lab/kubelet/pod/status.ts'
import { deleted, ended, pod, running, up } from '../pods.ts'

const NOW = Date.UTC(2026, 0, 1)
const FACTS = { hostIPs: ['10.99.0.11'], now: NOW }

/** As its kubelet reported it before it was killed. */
function reported(of: Pod, stands: Parameters<typeof podStatus>[1]): Pod {
  return { ...of, status: podStatus(of, stands, FACTS) }
}

test('a pod that is new to its node has nothing that stands', () => {
  expect(standsFound(pod(), undefined, NOW)).toEqual({ sandbox: { is: 'none' }, containers: {} })
})

test('a pod keeps its network, and its containers start again: they ended with the kubelet before', () => {
  const ran = reported(pod(), up({ main: running() }))
  const stands = standsFound(ran, ['10.244.1.2'], NOW)
  expect(stands.sandbox).toEqual({ is: 'up', ips: ['10.244.1.2'], since: NOW })
  expect(planOf(ran, stands, NOW).actions).toMatchObject([{ do: 'start', container: { name: 'main' } }])
  expect(stands.containers.main).toMatchObject({ restarts: 0, now: { is: 'ended', end: { exitCode: 137, signal: 9 } } })
})

test('a pod whose network is gone gets another one', () => {
  const ran = reported(pod(), up({ main: running() }))
  expect(planOf(ran, standsFound(ran, undefined, NOW), NOW).actions).toEqual([{ do: 'make sandbox' }])
})

test('init containers that have succeeded do not run again', () => {
  const ran = reported(pod({ initContainers: [{ name: 'a' }] }), up({ a: ended(0), main: running() }))
  const { actions } = planOf(ran, standsFound(ran, ['10.244.1.2'], NOW), NOW)
  expect(actions).toMatchObject([{ do: 'start', container: { name: 'main' } }])
})

test('a container that was held back keeps its number of restarts and its last end', () => {
  const crashed = reported(pod(), up({ main: ended(3, { restarts: 4 }) }))
  expect(standsFound(crashed, ['10.244.1.2'], NOW).containers.main).toMatchObject({
    ...{ restarts: 4, backOff: 0 },
    now: { is: 'ended', end: { exitCode: 3 } },
  })
})

test('a pod that had ended stays as it was, with its address', () => {
  const removed = { is: 'removed', ips: ['10.244.1.2'] } as const
  const over = reported(pod({ restartPolicy: 'Never' }), { ...up({ main: ended(0) }), sandbox: removed })
  const stands = standsFound(over, undefined, NOW)
  expect(stands.sandbox).toEqual(removed)
  expect(planOf(over, stands, NOW).actions).toEqual([])
  expect(podStatus(over, stands, FACTS)).toEqual(over.status)
})

test('a pod that was being deleted goes on going', () => {
  const going = deleted(reported(pod(), up({ main: running() })))
  expect(planOf(going, standsFound(going, ['10.244.1.2'], NOW), NOW).actions).toEqual([{ do: 'remove sandbox' }])
  expect(planOf(going, standsFound(going, undefined, NOW), NOW).actions).toEqual([{ do: 'finish' }])
})
