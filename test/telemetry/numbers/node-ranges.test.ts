import { expect, test } from 'vitest'
import { NodeRangesMetrics, type RangeNumbers, type RoundNumbers } from '#telemetry/numbers/node-ranges.ts'

// What a scraper of the controller of node ranges reads.

const CLUSTER = 'clusterCIDR="10.244.0.0/16"'
const RANGE: RangeNumbers = {
  ...{ clusterCIDR: '10.244.0.0/16', total: 256, used: 60, excluded: 4, free: 192 },
  ...{ given: 2, released: 1, tries: [1, 30] },
}
const ROUND: RoundNumbers = { result: 'done', conflicts: 0, set: 2, refused: 0, failed: 0, recordWrites: 1 }

function metrics() {
  return new NodeRangesMetrics({ version: 'v1', node: 'v26', startedAt: 900_000, lease: 'switchyard-ranges' })
}

function series(numbers: NodeRangesMetrics): readonly string[] {
  const text = numbers.text({ residentBytes: 1, cpuSeconds: 2 })
  return text.split('\n').filter(line => line !== '' && !line.startsWith('#'))
}

test('blocks of a range are counted as kube-controller-manager does, under its names', () => {
  const numbers = metrics()
  numbers.leads('yes')
  numbers.range(RANGE)
  numbers.range({ ...RANGE, given: 1, released: 0, tries: [] })
  expect(series(numbers)).toEqual(
    expect.arrayContaining([
      'leader_election_master_status{name="switchyard-ranges"} 1',
      `node_ipam_controller_cidrset_cidrs_allocations_total{${CLUSTER}} 3`,
      `node_ipam_controller_cidrset_cidrs_releases_total{${CLUSTER}} 1`,
      `node_ipam_controller_cirdset_max_cidrs{${CLUSTER}} 256`,
      `node_ipam_controller_cidrset_usage_cidrs{${CLUSTER}} 0.25`,
      `node_ipam_controller_cidrset_allocation_tries_per_request_bucket{${CLUSTER},le="1"} 1`,
      `node_ipam_controller_cidrset_allocation_tries_per_request_bucket{${CLUSTER},le="125"} 2`,
      `switchyard_ranges_blocks{${CLUSTER},state="used"} 60`,
      `switchyard_ranges_blocks{${CLUSTER},state="free"} 192`,
    ]),
  )
})

test('a range without blocks is not in use', () => {
  const numbers = metrics()
  numbers.range({ ...RANGE, total: 0, used: 0, excluded: 0, free: 0 })
  expect(series(numbers)).toContain(`node_ipam_controller_cidrset_usage_cidrs{${CLUSTER}} 0`)
})

test('who leads no longer shows nothing that would be out of date, and keeps what it has counted', () => {
  const numbers = metrics()
  numbers.leads('yes')
  numbers.range(RANGE)
  numbers.findings(new Map([['CIDRNotAvailable', 2]]))
  numbers.leads('no')
  const lines = series(numbers)
  expect(lines).toContain('leader_election_master_status{name="switchyard-ranges"} 0')
  expect(lines).toContain(`node_ipam_controller_cidrset_cidrs_allocations_total{${CLUSTER}} 2`)
  expect(lines.filter(line => /usage|max_cidrs|blocks|in_trouble/.test(line))).toEqual([])
})

test('troubles that are over go to 0, and do not stay at what they were', () => {
  const numbers = metrics()
  const troubles = (...counts: readonly (readonly [string, number])[]) => {
    numbers.findings(new Map(counts))
    return series(numbers).filter(line => line.includes('in_trouble'))
  }
  expect(troubles(['A', 2])).toEqual(['switchyard_ranges_nodes_in_trouble{reason="A"} 2'])
  expect(troubles(['B', 1])).toEqual([
    'switchyard_ranges_nodes_in_trouble{reason="A"} 0',
    'switchyard_ranges_nodes_in_trouble{reason="B"} 1',
  ])
  numbers.leads('no')
  numbers.leads('yes')
  expect(troubles(['B', 1])).toEqual(['switchyard_ranges_nodes_in_trouble{reason="B"} 1'])
})

test('rounds are counted by their result, and writes by what became of them', () => {
  const numbers = metrics()
  numbers.round(ROUND)
  numbers.round({ ...ROUND, result: 'partly', conflicts: 1, set: 3, refused: 1 })
  numbers.event('dropped')
  const own = series(numbers).filter(line => /rounds|writes|conflicts|events/.test(line))
  expect(own.sort()).toEqual([
    'switchyard_ranges_events_total{result="dropped"} 1',
    'switchyard_ranges_node_writes_total{outcome="refused"} 1',
    'switchyard_ranges_node_writes_total{outcome="set"} 5',
    'switchyard_ranges_record_conflicts_total 1',
    'switchyard_ranges_record_writes_total 2',
    'switchyard_ranges_rounds_total{result="done"} 1',
    'switchyard_ranges_rounds_total{result="partly"} 1',
  ])
})
