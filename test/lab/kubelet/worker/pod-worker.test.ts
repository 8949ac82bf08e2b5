import { beforeEach, describe, expect, test } from 'vitest'
import type { Pod } from '#lab/client/objects.ts'
import { EnvironmentRefused } from '#lab/kubelet/pod/environment.ts'
import type { PodStatus } from '#lab/kubelet/pod/stands.ts'
import { NOTHING } from '#lab/kubelet/pod/stands.ts'
import type { CheckFailure } from '#lab/kubelet/probes/checks.ts'
import { PodWorker } from '#lab/kubelet/worker/pod-worker.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { deleted, pod } from '../pods.ts'
import { PaperRuntime } from './paper-runtime.ts'

let clock: PaperClock
let runtime: PaperRuntime
let statuses: PodStatus[]
let events: string[]
let finished: string[]
/** What each probe and hook finds from now on. */
let found: CheckFailure
let missing: string | undefined

beforeEach(() => {
  clock = new PaperClock(Date.UTC(2026, 0, 1))
  runtime = new PaperRuntime()
  statuses = []
  events = []
  finished = []
  found = undefined
  missing = undefined
})

async function working(of: Pod): Promise<PodWorker> {
  const worker = new PodWorker(
    of,
    { stands: NOTHING },
    {
      ...{ runtime, clock, hostIPs: ['10.99.0.11'], nodeNetns: 'node-1', inTurn: work => work() },
      carryOut: async ({ exec }) => {
        if (exec?.command !== undefined) runtime.asked.push(exec.command.join(' '))
        return found
      },
      environment: async (_pod, _container, [ip]) => {
        if (missing !== undefined) throw new EnvironmentRefused(missing)
        return { IP: ip! }
      },
      report: (_pod, status) => statuses.push(status),
      event: (_pod, { reason, message }) => events.push(`${reason}: ${message}`),
      finish: async ({ metadata: { name } }) => void finished.push(name!),
    },
  )
  await clock.advance(0)
  return worker
}

/** Phase, Ready, and the state of the first container. */
function reported(): string {
  const { phase, conditions, containerStatuses } = statuses.at(-1)!
  const ready = conditions!.find(({ type }) => type === 'Ready')!.status
  const [{ state }] = containerStatuses! as [NonNullable<typeof containerStatuses>[number]]
  const shown = state?.waiting?.reason ?? state?.terminated?.reason ?? (state?.running ? 'running' : '')
  return `${phase} ${ready} ${shown}`
}

test('a pod is reported twice on its way up: when it was taken, and when all of it runs', async () => {
  const worker = await working(pod())
  expect(runtime.asks()).toEqual(['make web', 'start main'])
  expect(statuses.map(({ phase, podIP }) => [phase, podIP])).toEqual([
    ['Pending', undefined],
    ['Running', '10.244.1.2'],
  ])
  expect([reported(), events]).toEqual(['Running True running', ['Started: Started container main']])
  expect(runtime.last('main').env).toEqual({ IP: '10.244.1.2' })
  expect(worker.run('main', 'now')).toBe(runtime.last('main'))
})

test('a network that is refused is an event in the words of CNI, and is tried again a little later each time', async () => {
  runtime.refusals.push('plugin type="bridge" failed (add): no range', 'no daemon answers')
  await working(pod())
  const refused = 'FailedCreatePodSandBox: Failed to create pod sandbox: plugin type="bridge" failed (add): no range'
  expect([runtime.asks(), events, reported()]).toEqual([['make web'], [refused], 'Pending False ContainerCreating'])
  await clock.advance(500)
  expect(runtime.asks()).toEqual(['make web'])
  await clock.advance(999)
  expect(runtime.asks()).toEqual([])
  await clock.advance(1)
  expect([runtime.asks(), reported()]).toEqual([['make web', 'start main'], 'Running True running'])
})

describe('a container that ends', () => {
  test('starts again at once, then is held back as CrashLoopBackOff', async () => {
    const worker = await working(pod())
    runtime.last('main').end({ exitCode: 3 })
    await clock.advance(0)
    expect(runtime.asks()).toEqual(['make web', 'start main', 'start main'])
    runtime.last('main').end({ exitCode: 3 })
    await clock.advance(9999)
    expect([runtime.asks(), reported()]).toEqual([[], 'Running False CrashLoopBackOff'])
    expect(events.at(-1)).toBe('BackOff: Back-off restarting failed container main in pod web_shop(uid-1)')
    await clock.advance(1)
    expect([runtime.asks(), reported()]).toEqual([['start main'], 'Running True running'])
    expect(statuses.at(-1)!.containerStatuses![0]).toMatchObject({
      restartCount: 2,
      lastState: { terminated: { exitCode: 3, reason: 'Error', containerID: 'paper://main-1' } },
    })
    expect(worker.run('main', 'previous')?.id).toBe('paper://main-1')
  })

  test('after ten minutes is not held back for what was before', async () => {
    await working(pod())
    for (const waitMs of [0, 0, 10_000]) {
      await clock.advance(waitMs)
      runtime.last('main').end({ exitCode: 1 })
    }
    await clock.advance(20_000)
    runtime.asks()
    await clock.advance(600_000)
    runtime.last('main').end({ exitCode: 1 })
    await clock.advance(0)
    expect([runtime.asks(), reported()]).toEqual([['start main'], 'Running True running'])
  })

  test('for good takes the network down, and the pod stays in the API until it is deleted there', async () => {
    const over = pod({ restartPolicy: 'Never' })
    const worker = await working(over)
    runtime.last('main').end({ exitCode: 0 })
    await clock.advance(0)
    expect(runtime.asks()).toEqual(['make web', 'start main', 'remove web'])
    expect([reported(), statuses.at(-1)!.podIP]).toEqual(['Succeeded False Completed', '10.244.1.2'])
    worker.update(deleted(over))
    await clock.advance(0)
    expect([runtime.asks(), finished]).toEqual([[], ['web']])
  })

  test('without having begun says why', async () => {
    await working(pod({ restartPolicy: 'Never' }))
    runtime.last('main').end({ exitCode: 127, startError: 'sh: exec: fo: not found' })
    await clock.advance(0)
    expect(statuses.at(-1)!.containerStatuses![0]!.state?.terminated).toMatchObject({
      ...{ exitCode: 127, reason: 'StartError', message: 'sh: exec: fo: not found' },
    })
  })
})

test('a container that is slow to start is started once, though another one cannot start meanwhile', async () => {
  const slow = Promise.withResolvers<void>()
  const start = runtime.start.bind(runtime)
  runtime.start = async facts => {
    if (facts.container.name === 'broken') throw new Error('no such image')
    runtime.asked.push(`begin ${facts.container.name}`)
    await slow.promise
    return start(facts)
  }
  await working(pod({ containers: [{ name: 'broken' }, { name: 'slow' }] }))
  await clock.advance(5000)
  slow.resolve()
  await clock.advance(0)
  expect(runtime.asks()).toEqual(['make web', 'begin slow', 'start slow'])
  expect(events).toEqual(['Started: Started container slow', 'FailedSync: no such image'])
})

test('a container waits for a ConfigMap that it refers to', async () => {
  missing = 'configmap "settings" not found'
  await working(pod())
  expect([reported(), events]).toEqual([
    'Pending False CreateContainerConfigError',
    ['Failed: Error: configmap "settings" not found'],
  ])
  missing = undefined
  await clock.advance(5000)
  expect(reported()).toBe('Running True running')
})

describe('probes', () => {
  test('of readiness make a container ready, and not ready after three failures in a row', async () => {
    found = 'connection refused'
    await working(pod({ containers: [{ name: 'main', readinessProbe: { tcpSocket: { port: 80 } } }] }))
    expect([reported(), events.at(-1)]).toEqual([
      'Running False running',
      'Unhealthy: Readiness probe failed: connection refused',
    ])
    found = undefined
    await clock.advance(10_000)
    expect(reported()).toBe('Running True running')
    found = 'connection refused'
    await clock.advance(20_000)
    expect(reported()).toBe('Running True running')
    await clock.advance(10_000)
    expect(reported()).toBe('Running False running')
  })

  test('of liveness end a container with its grace and let it start again', async () => {
    const livenessProbe = { httpGet: { port: 80 }, failureThreshold: 1, initialDelaySeconds: 5 }
    await working(pod({ containers: [{ name: 'main', livenessProbe }], terminationGracePeriodSeconds: 7 }))
    found = 'HTTP probe failed with statuscode: 500'
    await clock.advance(5000)
    expect(runtime.asks()).toEqual(['make web', 'start main', 'SIGTERM main'])
    expect(events.slice(-2)).toEqual([
      'Unhealthy: Liveness probe failed: HTTP probe failed with statuscode: 500',
      'Killing: Container main failed liveness probe, will be restarted',
    ])
    found = undefined
    await clock.advance(7000)
    expect(runtime.asks()).toEqual(['SIGKILL main', 'start main'])
  })

  test('of startup hold the others back until they succeed', async () => {
    found = 'not yet'
    const startupProbe = { exec: { command: ['up?'] }, periodSeconds: 1, failureThreshold: 5 }
    const livenessProbe = { exec: { command: ['alive?'] } }
    await working(pod({ containers: [{ name: 'main', startupProbe, livenessProbe }] }))
    await clock.advance(1000)
    expect([runtime.asks(), reported()]).toEqual([['make web', 'start main', 'up?', 'up?'], 'Running False running'])
    found = undefined
    await clock.advance(1000)
    expect([runtime.asks(), reported()]).toEqual([['up?', 'alive?'], 'Running True running'])
  })
})

describe('the end of a pod', () => {
  test('is a hook, SIGTERM, the end of its container, and then nothing of it is left', async () => {
    const lifecycle = { preStop: { exec: { command: ['goodbye'] } } }
    const going = pod({ containers: [{ name: 'main', lifecycle }] })
    const worker = await working(going)
    runtime.asks()
    worker.update(deleted(going))
    await clock.advance(0)
    expect([runtime.asks(), events.at(-1)]).toEqual([['goodbye', 'SIGTERM main'], 'Killing: Stopping container main'])
    expect(reported()).toBe('Running True running')
    runtime.last('main').end({ exitCode: 0 })
    await worker.done
    expect([runtime.asks(), finished]).toEqual([['remove web'], ['web']])
  })

  test('is SIGKILL when its grace is over, also where that was made shorter meanwhile', async () => {
    const worker = await working(pod())
    worker.update(deleted(pod(), 30))
    await clock.advance(5000)
    worker.update(deleted(pod(), 10))
    await clock.advance(9999)
    expect(runtime.asks()).toEqual(['make web', 'start main', 'SIGTERM main'])
    await clock.advance(1)
    expect([runtime.asks(), finished]).toEqual([['SIGKILL main', 'remove web'], ['web']])
  })

  test('is not later for a container that a probe has found dead and given a longer grace', async () => {
    const livenessProbe = { tcpSocket: { port: 80 }, failureThreshold: 1, terminationGracePeriodSeconds: 3600 }
    found = 'connection refused'
    const going = pod({ containers: [{ name: 'main', livenessProbe }] })
    const worker = await working(going)
    expect(runtime.asks()).toEqual(['make web', 'start main', 'SIGTERM main'])
    worker.update(deleted(going, 5))
    await clock.advance(5000)
    expect([runtime.asks(), finished]).toEqual([['SIGKILL main', 'remove web'], ['web']])
  })

  test('takes the traffic from a container that is no longer ready while it ends, and finds it dead no more', async () => {
    const probe = { tcpSocket: { port: 80 }, periodSeconds: 1, failureThreshold: 2 }
    const going = pod({ containers: [{ name: 'main', readinessProbe: probe, livenessProbe: probe }] })
    const worker = await working(going)
    worker.update(deleted(going))
    await clock.advance(0)
    expect(reported()).toBe('Running True running')
    found = 'connection refused'
    await clock.advance(2000)
    expect(reported()).toBe('Running False running')
    expect(events.filter(event => event.includes('iveness'))).toEqual([])
    runtime.last('main').end({ exitCode: 0 })
    await worker.done
    expect(clock.sleepers).toBe(0)
  })

  test('waits for a hook that sleeps', async () => {
    const going = pod({ containers: [{ name: 'main', lifecycle: { preStop: { sleep: { seconds: 3 } } } }] })
    const worker = await working(going)
    worker.update(deleted(going))
    await clock.advance(2999)
    expect(runtime.asks()).toEqual(['make web', 'start main'])
    await clock.advance(1)
    expect(runtime.asks()).toEqual(['SIGTERM main'])
  })

  test('waits for no hook of a container that was killed meanwhile, and asks nothing of it later', async () => {
    const going = pod({ containers: [{ name: 'main', lifecycle: { preStop: { sleep: { seconds: 600 } } } }] })
    const worker = await working(going)
    worker.update(deleted(going))
    await clock.advance(1000)
    worker.gone()
    await worker.done
    expect([runtime.asks(), clock.sleepers]).toEqual([['make web', 'start main', 'SIGKILL main', 'remove web'], 0])
    await clock.advance(600_000)
    expect(runtime.asks()).toEqual([])
  })

  test('comes at once for a pod that the API has forgotten, and nothing more is reported of it', async () => {
    const worker = await working(pod())
    const before = statuses.length
    worker.gone()
    await worker.done
    expect(runtime.asks()).toEqual(['make web', 'start main', 'SIGKILL main', 'remove web'])
    expect([statuses.length, finished]).toEqual([before, []])
  })
})
