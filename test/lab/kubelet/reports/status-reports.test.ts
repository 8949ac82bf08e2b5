import { beforeEach, describe, expect, test } from 'vitest'
import type { PodStatus } from '#lab/kubelet/pod/stands.ts'
import { StatusReports } from '#lab/kubelet/reports/status-reports.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { pod } from '../pods.ts'
import { absent, PaperApi } from './paper-api.ts'

let api: PaperApi
let clock: PaperClock
let warnings: string[]
let reports: StatusReports

beforeEach(() => {
  api = new PaperApi()
  clock = new PaperClock()
  warnings = []
  reports = new StatusReports({ client: api.client, clock, warn: line => warnings.push(line) })
})

const phases = () => api.writes.map(({ body }) => (body.status as PodStatus).phase)

describe('statuses of a pod', () => {
  test('that come in one turn are one write, for the very pod', async () => {
    reports.report(pod(), { phase: 'Pending' })
    reports.report(pod(), { phase: 'Running' })
    await clock.advance(0)
    expect(api.writes).toEqual([
      { verb: 'patch', kind: 'Pod', name: 'web', body: { metadata: { uid: 'uid-1' }, status: { phase: 'Running' } } },
    ])
  })

  test('that come while one is being written go with the next, the last one alone', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    api.gate = promise
    reports.report(pod(), { phase: 'Pending' })
    await clock.advance(0)
    reports.report(pod(), { phase: 'Running' })
    reports.report(pod(), { phase: 'Succeeded' })
    resolve()
    await clock.advance(0)
    expect(phases()).toEqual(['Pending', 'Succeeded'])
  })

  test('that say what was written already are not written', async () => {
    reports.report(pod(), { phase: 'Running' })
    await clock.advance(0)
    reports.report(pod(), { phase: 'Running' })
    await clock.advance(0)
    expect(phases()).toEqual(['Running'])
  })

  test('are written again where a controller that did not hear of the node has changed them', async () => {
    reports.report(pod(), { phase: 'Running' })
    await clock.advance(0)
    const marked = (reason: string) => ({
      ...pod(),
      status: { conditions: [{ type: 'Ready', status: 'False', reason }] },
    })
    reports.seen(marked('ContainersNotReady'))
    await clock.advance(0)
    expect(phases()).toEqual(['Running'])
    reports.seen(marked('NodeNotReady'))
    await clock.advance(0)
    expect(phases()).toEqual(['Running', 'Running'])
  })

  test('are written again also where that change was seen before the answer to a write that it came after', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    api.gate = promise
    reports.report(pod(), { phase: 'Running' })
    await clock.advance(0)
    const conditions = [{ type: 'Ready', status: 'False', reason: 'NodeNotReady' }]
    reports.seen({ ...pod(), status: { conditions } })
    resolve()
    await clock.advance(0)
    expect(phases()).toEqual(['Running', 'Running'])
  })

  test('are tried again where the API does not answer', async () => {
    api.failures.push(new Error('ECONNREFUSED'))
    reports.report(pod(), { phase: 'Running' })
    await clock.advance(999)
    expect([phases(), warnings]).toEqual([[], ['status of pod shop/web not written: ECONNREFUSED']])
    await clock.advance(1)
    expect(phases()).toEqual(['Running'])
  })

  test('of a pod that is gone are not tried again', async () => {
    api.failures.push(absent('pods', 'web'))
    reports.report(pod(), { phase: 'Running' })
    await clock.advance(5000)
    expect([phases(), warnings]).toEqual([[], []])
  })

  test('are written no more once it is forgotten', async () => {
    api.failures.push(new Error('ECONNREFUSED'))
    reports.report(pod(), { phase: 'Running' })
    await clock.advance(0)
    reports.forget(pod())
    await clock.advance(5000)
    expect(phases()).toEqual([])
  })
})
