import { beforeEach, describe, expect, test } from 'vitest'
import { PaperClock } from '#lab/paper/clock.ts'
import { Health } from '#telemetry/health.ts'
import { FAILURE, report } from './reports.ts'

const OVERDUE_MS = 60_000
const SILENT_MS = 300_000
const STUCK_MS = 3_600_000
const NODE = { deleting: false, taints: [] }
const START = Date.parse('2026-11-21T00:33:19Z')

let clock: PaperClock
let heard: number | undefined
let health: Health

beforeEach(() => {
  clock = new PaperClock(START)
  heard = undefined
  health = new Health(clock, { overdueMs: OVERDUE_MS, silentMs: SILENT_MS, stuckMs: STUCK_MS }, () => heard)
  health.expect('ipv4')
  health.expect('ipv6')
  health.node(NODE)
})

/** A sync of this lane that began a moment ago and has just ended. */
function sync(family: 'ipv4' | 'ipv6', more: object = {}): void {
  health.record(report({ family, startedAt: clock.now() - 100, tookMs: 100, ...more }))
}

function statuses(): readonly number[] {
  return [health.healthz().status, health.livez().status]
}

function body(path: 'healthz' | 'livez' = 'healthz'): Record<string, unknown> {
  return JSON.parse(health[path]().body)
}

describe('before the first rules stand', () => {
  test('the node is not ready, however young the process; the process is alive', () => {
    expect(statuses()).toEqual([503, 200])
    expect(body('livez')).toMatchObject({ healthy: true, status: { IPv4: { healthy: true }, IPv6: { healthy: true } } })
    expect(body()).toMatchObject({ lastUpdated: '0001-01-01T00:00:00Z', healthy: false })
  })

  test('one family of two is not enough', () => {
    sync('ipv4')
    expect(statuses()).toEqual([503, 200])
    expect(body().status).toMatchObject({ IPv4: { healthy: true }, IPv6: { healthy: false } })
    sync('ipv6')
    expect(statuses()).toEqual([200, 200])
  })

  test('an agent without any lane is not well', () => {
    const bare = new Health(clock, { overdueMs: 1, silentMs: 1, stuckMs: 1 }, () => undefined)
    expect([bare.healthz().status, bare.livez().status]).toEqual([503, 200])
  })

  test('an API server that was never reached does not end the process, however long it takes', async () => {
    heard = 0
    await clock.advance(7 * 24 * 3_600_000)
    expect(statuses()).toEqual([503, 200])
    expect(body()).toMatchObject({ apiServer: { lastHeard: '0001-01-01T00:00:00Z', healthy: false } })
    expect(body('livez')).not.toHaveProperty('apiServer')
  })

  test('rules that the kernel refuses from the first on do not end the process', async () => {
    for (let minutes = 0; minutes < 120; minutes++) {
      sync('ipv4', { failure: FAILURE })
      sync('ipv6', { failure: FAILURE })
      await clock.advance(60_000)
    }
    expect(statuses()).toEqual([503, 200])
  })
})

describe('once rules stand', () => {
  beforeEach(() => {
    sync('ipv4')
    sync('ipv6')
  })

  test('quiet is well, for however long', async () => {
    await clock.advance(24 * 3_600_000)
    expect(statuses()).toEqual([200, 200])
  })

  test('a change may wait for the documented time, and not longer', async () => {
    health.queued('ipv4')
    await clock.advance(OVERDUE_MS / 2)
    health.queued('ipv4')
    await clock.advance(OVERDUE_MS / 2 - 1)
    expect(statuses()).toEqual([200, 200])
    await clock.advance(1)
    expect(statuses()).toEqual([503, 200])
    expect(body().status).toMatchObject({ IPv4: { healthy: false }, IPv6: { healthy: true } })
    sync('ipv4')
    expect(statuses()).toEqual([200, 200])
  })

  test('syncs that go on failing count after that time even if no change had come, and success ends it', async () => {
    sync('ipv4', { failure: FAILURE })
    await clock.advance(OVERDUE_MS - 1)
    sync('ipv4', { failure: FAILURE })
    expect(health.healthz().status).toBe(200)
    await clock.advance(1)
    expect(statuses()).toEqual([503, 200])
    sync('ipv4')
    expect(statuses()).toEqual([200, 200])
  })

  test('what comes while a sync is running is not in it: if no sync carries it out, that shows', async () => {
    const startedAt = clock.now()
    await clock.advance(10)
    health.queued('ipv4')
    await clock.advance(90)
    health.record(report({ startedAt, tookMs: 100 }))
    await clock.advance(OVERDUE_MS - 1)
    expect(health.healthz().status).toBe(200)
    await clock.advance(1)
    expect(health.healthz().status).toBe(503)
  })

  test('a sync that takes longer than the limit is not held against the change that came during it', async () => {
    const startedAt = clock.now()
    health.queued('ipv4')
    await clock.advance(1)
    health.queued('ipv4')
    await clock.advance(2 * OVERDUE_MS)
    expect(health.healthz().status).toBe(503)
    health.record(report({ startedAt, tookMs: 2 * OVERDUE_MS + 1 }))
    expect(health.healthz().status).toBe(200)
  })

  test('an API server that says nothing for the documented time makes the node not ready, with the reason, and does not end the process', async () => {
    heard = clock.now()
    await clock.advance(SILENT_MS - 1)
    expect(statuses()).toEqual([200, 200])
    expect(body()).not.toHaveProperty('apiServer')
    await clock.advance(1)
    expect(statuses()).toEqual([503, 200])
    expect(body()).toMatchObject({
      healthy: false,
      status: { IPv4: { healthy: true } },
      apiServer: { lastHeard: '2026-11-21T00:33:19.000Z', healthy: false },
    })
    expect(body('livez')).toMatchObject({ healthy: true })
    heard = clock.now()
    expect(statuses()).toEqual([200, 200])
  })

  test.each([
    ['is being deleted', { deleting: true, taints: [] }],
    [
      'carries the taint of the cluster autoscaler',
      { deleting: false, taints: ['x', 'ToBeDeletedByClusterAutoscaler'] },
    ],
    ['is not known', undefined],
  ])('a node that %s should get no new traffic, but its proxy is alive', (_, node) => {
    health.node(node)
    expect(statuses()).toEqual([503, 200])
    expect(body()).toMatchObject({ nodeEligible: false, healthy: true })
    health.node({ deleting: false, taints: ['node.kubernetes.io/not-ready'] })
    expect(statuses()).toEqual([200, 200])
  })

  test('the body has the fields of kube-proxy, in its order', async () => {
    await clock.advance(7000)
    const at = '2026-11-21T00:33:26.000Z'
    const synced = '{"lastUpdated":"2026-11-21T00:33:19.000Z","healthy":true}'
    const status = `"status":{"IPv4":${synced},"IPv6":${synced}}`
    expect(health.healthz().body).toBe(
      `{"lastUpdated":"${at}","currentTime":"${at}","nodeEligible":true,"healthy":true,${status}}`,
    )
    expect(health.livez().body).toBe(`{"lastUpdated":"${at}","currentTime":"${at}","healthy":true,${status}}`)
  })

  test('an unhealthy answer says when rules were last written', async () => {
    await clock.advance(1000)
    sync('ipv4')
    health.node(undefined)
    await clock.advance(5000)
    expect(body().lastUpdated).toBe('2026-11-21T00:33:20.000Z')
  })
})

describe('a lane that is stuck', () => {
  beforeEach(() => {
    sync('ipv4')
    sync('ipv6')
    health.queued('ipv4')
  })

  test('ends the process once it has neither written nor failed for longer than any sync may take', async () => {
    await clock.advance(STUCK_MS - 1)
    expect(statuses()).toEqual([503, 200])
    await clock.advance(1)
    expect(statuses()).toEqual([503, 503])
    expect(body('livez')).toMatchObject({
      healthy: false,
      status: { IPv4: { healthy: false }, IPv6: { healthy: true } },
    })
    sync('ipv4')
    expect(statuses()).toEqual([200, 200])
  })

  test('is not one that has just failed and waits for its next try', async () => {
    await clock.advance(STUCK_MS - 1)
    sync('ipv4', { failure: FAILURE })
    await clock.advance(STUCK_MS - 1)
    expect(statuses()).toEqual([503, 200])
    await clock.advance(1)
    expect(statuses()).toEqual([503, 503])
  })

  test('goes on while the API server is silent: a new process would have no cluster to write', async () => {
    heard = clock.now()
    await clock.advance(STUCK_MS)
    expect(statuses()).toEqual([503, 200])
    heard = clock.now()
    expect(statuses()).toEqual([503, 503])
  })
})
