import { describe, expect, test } from 'vitest'
import { freshStats } from '#kubernetes/stats.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { healthView } from '#proxy/agent/page/health.ts'
import { SyncHistory } from '#proxy/agent/page/sync-history.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import { Health } from '#telemetry/health.ts'
import { smallCluster } from '../../../page/clusters.ts'
import { FAILURE, report } from '../../../telemetry/reports.ts'

// What the first page says of an agent.

const HOUR_MS = 3_600_000

function world({ heard }: { readonly heard?: number } = {}) {
  const clock = new PaperClock(10 * HOUR_MS)
  const cluster = new Cluster()
  for (const object of smallCluster()) cluster.apply({ type: 'put', object })
  const health = new Health(clock, { overdueMs: 1000, silentMs: 1000, stuckMs: 5000 }, () => heard)
  health.expect('ipv4')
  health.node(cluster.node)
  const refused = [{ owner: 'shop/web:http/tcp', unit: 'map service-ips', error: new Error('no') }]
  const lane = { family: 'ipv4', refused, draft: { book: { rules: new Map([['a', 'b']]) }, resolved: () => [1, 2] } }
  const history = new SyncHistory()
  const agent = { cluster, health, lanes: [lane] } as never
  const view = () =>
    healthView({ agent, stats: freshStats(), startedAt: 0, now: () => clock.now(), runtime: 'Node', history })
  return { clock, cluster, health, history, view }
}

const words = (view: ReturnType<ReturnType<typeof world>['view']>) => view.checks.map(({ word }) => word)

describe('the health of an agent, for its page', () => {
  test('is that of its probes', async () => {
    const { cluster, clock, health, view } = world()
    expect(words(view())).toEqual(['not ready', 'out of date', 'heard', 'live'])
    expect(view().troubles[0]).toContain('have not all arrived')
    for (const kind of ['Service', 'EndpointSlice', 'Node'] as const) cluster.apply({ type: 'synced', kind })
    health.record(report({ startedAt: clock.now(), tookMs: 0 }))
    expect(words(view())).toEqual(['ready', 'up to date', 'heard', 'live'])
    expect(view().lanes).toEqual([
      { family: 'IPv4', isHealthy: true, lastSyncAt: clock.now(), units: 1, servicePorts: 2, refused: 1 },
    ])
    health.queued('ipv4')
    await clock.advance(6000)
    expect(words(view())).toEqual(['not ready', 'out of date', 'heard', 'stuck'])
  })

  test('names an API server that is silent', () => {
    const { view } = world({ heard: 8 * HOUR_MS })
    expect(words(view())[2]).toBe('silent')
    expect(view().checks[2]!.says).toBe('Not heard since 1970-01-01T08:00:00.000Z.')
  })

  test('names what the kernel refuses, and what other programs changed of late', () => {
    const { clock, history, view } = world()
    const drift = (count: number, startedAt: number) =>
      history.record(report({ startedAt, drift: { count, units: ['nat X'] } }))
    drift(100, clock.now() - 2 * HOUR_MS)
    history.record(report({ startedAt: clock.now(), failure: FAILURE }))
    expect(view().troubles.join()).not.toContain('Another program')
    expect(view().troubles).toContain('The kernel refuses the rules of shop/web:http/tcp, in map service-ips.')
    drift(1, clock.now() - 1000)
    drift(2, clock.now())
    expect(view().troubles.at(-1)).toBe(
      'Another program changed 3 of our units in the last hour, at 10:00:00 the last time. They were restored: see Syncs.',
    )
  })
})
