import { expect, test } from 'vitest'
import { PodsMetrics } from '#telemetry/numbers/pods.ts'

// What a scraper of the pods' daemon reads.

const CURRENT = { underWay: 2, residentBytes: 1e6, cpuSeconds: 1.5, leases: [] }

function metrics(): PodsMetrics {
  return new PodsMetrics({ version: 'v1', node: 'v26', startedAt: 1000 })
}

test('calls are counted by command, plugin and code, with their times', () => {
  const numbers = metrics()
  const call = { command: 'ADD', plugin: 'bridge', tookMs: 3, waitedMs: 1, abandoned: false }
  numbers.done({ ...call, code: 0 })
  numbers.done({ ...call, code: 11, abandoned: true })
  const text = numbers.text(CURRENT)
  expect(text).toContain('switchyard_cni_operations_total{code="0",command="ADD",plugin="bridge"} 1\n')
  expect(text).toContain('switchyard_cni_operations_total{code="11",command="ADD",plugin="bridge"} 1\n')
  expect(text).toContain(
    'switchyard_cni_operation_duration_seconds_bucket{command="ADD",plugin="bridge",le="0.004"} 2\n',
  )
  expect(text).toContain('switchyard_cni_operations_abandoned_total{command="ADD"} 1\n')
  expect(text).toContain('switchyard_cni_operations_in_flight 2\n')
})

test('leases are counted by network and state, and those of a network that has none any longer are 0', () => {
  const numbers = metrics()
  const lease = { network: 'a', state: 'assigned', count: 3 }
  expect(numbers.text({ ...CURRENT, leases: [lease] })).toContain(
    'switchyard_ipam_leases{network="a",state="assigned"} 3\n',
  )
  const later = numbers.text({ ...CURRENT, leases: [] })
  expect(later).toContain('switchyard_ipam_leases{network="a",state="assigned"} 0\n')
  expect(later).toContain('switchyard_ipam_database_readable 1\n')
  expect(numbers.text({ ...CURRENT, leases: undefined })).toContain('switchyard_ipam_database_readable 0\n')
})
