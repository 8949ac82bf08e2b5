import { expect, test } from 'vitest'
import { NodejsMetrics } from '#telemetry/numbers/nodejs.ts'

const STATE = {
  heap: { totalBytes: 3, usedBytes: 2, externalBytes: 1 },
  resources: new Map([['Timeout', 2]]),
  loopUtilization: 0.25,
}

test('what Node says of itself has the names that dashboards know', () => {
  const metrics = new NodejsMetrics('v26.1.2')
  metrics.collected('minor', 5)
  metrics.lagged(2)
  const lines = metrics.text(STATE).split('\n')
  expect(lines).toEqual(
    expect.arrayContaining([
      'nodejs_active_resources{type="Timeout"} 2',
      'nodejs_eventloop_lag_seconds 0.002',
      'nodejs_eventloop_utilization 0.25',
      'nodejs_external_memory_bytes 1',
      'nodejs_gc_duration_seconds_bucket{kind="minor",le="0.01"} 1',
      'nodejs_heap_size_total_bytes 3',
      'nodejs_heap_size_used_bytes 2',
      'nodejs_version_info{major="26",minor="1",patch="2",version="v26.1.2"} 1',
    ]),
  )
})

test('a type of resource that is gone goes to 0, and does not stay at what it was', () => {
  const metrics = new NodejsMetrics('v26.1.2')
  metrics.text(STATE)
  expect(metrics.text({ ...STATE, resources: new Map() })).toContain('nodejs_active_resources{type="Timeout"} 0\n')
})
