import { expect, test } from 'vitest'
import { SyncHistory } from '#proxy/agent/page/sync-history.ts'
import type { ServicePort } from '#proxy/sync/report.ts'
import { FAILURE, report } from '../../../telemetry/reports.ts'

const ports = (...ids: readonly string[]) => ids.map(id => ({ id })) as unknown as readonly ServicePort[]

test('keeps what each sync did, the latest first', () => {
  const history = new SyncHistory()
  const serviceChanges = { added: ports('a/b:c', 'a/b:d'), updated: [], removed: ports('x/y') }
  history.record(report({ startedAt: 1, commands: 1, serviceChanges, units: { added: 2, changed: 0, removed: 1 } }))
  history.record(report({ startedAt: 2, looked: true }))
  expect(history.recent()).toMatchObject([
    { at: 2, family: 'IPv4', looked: true, changed: { count: 0 } },
    { at: 1, units: { added: 2, changed: 0, removed: 1 }, changed: { count: 3, names: ['a/b:c', 'a/b:d', 'x/y'] } },
  ])
})

test('passes over syncs that found all as it should be', () => {
  const history = new SyncHistory()
  history.record(report())
  expect(history.recent()).toEqual([])
})

test('is short, and has the names of a few of many Services', () => {
  const history = new SyncHistory()
  const many = { added: ports(...Array.from({ length: 10_000 }, (_, i) => `a/${i}`)), updated: [], removed: [] }
  for (let startedAt = 0; startedAt < 500; startedAt++) history.record(report({ startedAt, serviceChanges: many }))
  expect(history.recent()).toHaveLength(50)
  expect(history.recent()[0]).toMatchObject({ at: 499, changed: { count: 10_000, names: { length: 5 } } })
})

test('what was wrong outlasts syncs in which all was well', () => {
  const history = new SyncHistory()
  history.record(report({ startedAt: 1, drift: { count: 1, units: ['nat KUBE-SERVICES'] } }))
  history.record(report({ startedAt: 2, failure: FAILURE }))
  const refused = [{ owner: 'a/b/tcp', unit: 'nat X', error: new Error('bad line') }]
  history.record(report({ startedAt: 3, refused }))
  for (let startedAt = 4; startedAt < 200; startedAt++) history.record(report({ startedAt, commands: 1 }))
  expect(history.recent().some(({ at }) => at < 4)).toBe(false)
  expect(history.repairs()).toMatchObject([
    { at: 3, refused: [{ owner: 'a/b/tcp', unit: 'nat X', reason: 'bad line' }] },
    { at: 2, failure: { reason: 'no', retryMs: 1000 } },
    { at: 1, drift: { count: 1, units: ['nat KUBE-SERVICES'] } },
  ])
})
