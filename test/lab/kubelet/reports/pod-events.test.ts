import { expect, test } from 'vitest'
import { PodEvents } from '#lab/kubelet/reports/pod-events.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { pod } from '../pods.ts'
import { PaperApi } from './paper-api.ts'

test('an event is written once, and counted when it happens again', async () => {
  const api = new PaperApi()
  const clock = new PaperClock(Date.UTC(2026, 0, 1))
  const events = new PodEvents({ client: api.client, clock, nodeName: 'node-1', warn: () => {} })
  const unhealthy = { type: 'Warning', reason: 'Unhealthy', message: 'no', container: 'main' } as const
  events.send(pod(), unhealthy)
  await clock.advance(10_000)
  events.send(pod(), unhealthy)
  events.send(pod(), { reason: 'Started', message: 'Started container main', container: 'main' })
  await clock.advance(0)
  const [first, ...others] = api.writes.toSorted((a, b) => a.verb.localeCompare(b.verb))
  expect(first).toMatchObject({
    ...{ verb: 'create', kind: 'Event' },
    body: {
      ...{ type: 'Warning', reason: 'Unhealthy', message: 'no', count: 1, firstTimestamp: '2026-01-01T00:00:00Z' },
      source: { component: 'kubelet', host: 'node-1' },
      involvedObject: { kind: 'Pod', namespace: 'shop', name: 'web', uid: 'uid-1', fieldPath: 'spec.containers{main}' },
    },
  })
  expect(others).toMatchObject([
    { verb: 'create', body: { type: 'Normal', reason: 'Started' } },
    { verb: 'patch', name: first!.name, body: { count: 2, lastTimestamp: '2026-01-01T00:00:10Z' } },
  ])
})

test('an event that the API did not take is written when it happens again', async () => {
  const api = new PaperApi()
  const clock = new PaperClock()
  const warnings: string[] = []
  const events = new PodEvents({ client: api.client, clock, nodeName: 'node-1', warn: line => warnings.push(line) })
  const refused = { type: 'Warning', reason: 'FailedCreatePodSandBox', message: 'no daemon answers' } as const
  api.failures.push(new Error('ECONNREFUSED'))
  for (let times = 0; times < 3; times++) {
    events.send(pod(), refused)
    await clock.advance(0)
  }
  expect(warnings).toEqual(['event of pod shop/web not written: ECONNREFUSED'])
  expect(api.writes).toMatchObject([
    { verb: 'create', body: { reason: 'FailedCreatePodSandBox', count: 1 } },
    { verb: 'patch', body: { count: 2 } },
  ])
})
