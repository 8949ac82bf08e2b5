import { beforeEach, describe, expect, test } from 'vitest'
import type { RangesReport } from '#ipam/nodes/ranges-controller.ts'
import type { WrittenEvent } from '#kubernetes/event-writer.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { RangesReporter } from '#ranges/controller/reporter.ts'
import { NodeRangesMetrics } from '#telemetry/numbers/node-ranges.ts'
import type { Cidr } from '#values/cidr.ts'
import { captureLog } from '../../support/captured-log.ts'

const RANGE = '10.244.0.0/20' as Cidr
const PATCH = { name: 'a', uid: 'u', podCIDRs: ['10.244.1.0/24' as Cidr] }

let clock: PaperClock
let lines: readonly string[]
let events: WrittenEvent[]
let metrics: NodeRangesMetrics
let reporter: RangesReporter

beforeEach(() => {
  clock = new PaperClock(1_000_000)
  events = []
  const captured = captureLog(1)
  lines = captured.lines
  metrics = new NodeRangesMetrics({ version: 'v1', node: 'v26', startedAt: 0, lease: 'l' })
  reporter = new RangesReporter({
    ...{ hostname: 'h', identity: 'h_1', clock, metrics, log: captured.log },
    record: { namespace: 'kube-system', name: 'r' },
    lease: { namespace: 'kube-system', name: 'l' },
    events: { send: event => events.push(event) },
  })
})

function report(more: Partial<RangesReport> = {}): RangesReport {
  const nothing = { findings: [], counts: [], given: [], released: [], searches: [], set: [], refused: [], failed: [] }
  return { ...nothing, recordWrites: 0, conflicts: 0, ...more }
}

function counts(used: number) {
  return [{ range: RANGE, nodeMask: 24, total: 16, excluded: 0, used, free: 16 - used }]
}

const numbers = (): string => metrics.text({ residentBytes: 0, cpuSeconds: 0 })

describe('whether all is well', () => {
  test('a leader whose rounds have failed for three minutes says why; one that waits has no trouble', async () => {
    expect(reporter.trouble()).toBeUndefined()
    reporter.leadership({ what: 'leading' })
    await clock.advance(179_000)
    expect(reporter.trouble()).toBeUndefined()
    await clock.advance(1000)
    expect(reporter.trouble()).toBe('no round has succeeded for 3m0s: the Nodes have not been listed yet')
    reporter.failed(new Error('the record is damaged'), 1000)
    expect(reporter.trouble()).toBe('no round has succeeded for 3m0s: the record is damaged')
    reporter.round(report())
    expect(reporter.trouble()).toBeUndefined()
    await clock.advance(200_000)
    reporter.leadership({ what: 'stopped' })
    expect(reporter.trouble()).toBeUndefined()
  })

  test('without election it is as a leader', async () => {
    reporter.unelected()
    await clock.advance(180_000)
    expect(reporter.trouble()).toContain('no round has succeeded for 3m0s')
    expect(numbers()).not.toContain('leader_election_master_status{')
  })
})

test('a failure that lasts is one line, and so is its end', () => {
  for (let i = 0; i < 50; i++) reporter.failed(new Error('away'), 30_000)
  reporter.round(report())
  reporter.round(report())
  expect(lines).toEqual(['"Ranges of nodes could not be compared" err="away" retry="30s"', '"Rounds succeed again"'])
  expect(numbers()).toContain('switchyard_ranges_rounds_total{result="failed"} 50\n')
})

test('a Node that is refused once is not worth an Event, one that is refused twice in a row is', () => {
  const refused = [{ patch: PATCH, why: 'no' }]
  reporter.round(report({ refused }))
  reporter.round(report())
  reporter.round(report({ refused }))
  expect(events).toEqual([])
  reporter.round(report({ refused }))
  expect(events.map(({ reason, note }) => [reason, note])).toEqual([
    [
      'CIDRAssignmentFailed',
      'podCIDRs 10.244.1.0/24 are recorded for node a and could not be set: no; it is tried again',
    ],
  ])
})

test('hundreds of Nodes with the same trouble are a hundred lines and one more, once', () => {
  const findings = Array.from({ length: 300 }, (_, i) => ({
    ...{ node: { name: `n${i}`, uid: `u${i}` }, reason: 'CIDRNotAvailable', message: 'm' },
  })) as RangesReport['findings']
  reporter.round(report({ findings }))
  reporter.round(report({ findings }))
  expect(lines).toHaveLength(101)
  expect(lines.at(-1)).toBe('… and 200 more nodes')
})

test('what a leader knew is not shown by one that no longer leads', () => {
  reporter.leadership({ what: 'leading' })
  reporter.round(report({ counts: counts(15) }))
  expect(numbers()).toContain('switchyard_ranges_blocks{clusterCIDR="10.244.0.0/20",state="free"} 1\n')
  reporter.leadership({ what: 'stopped' })
  expect(numbers()).not.toContain('switchyard_ranges_blocks{')
  expect(numbers()).toContain('leader_election_master_status{name="l"} 0\n')
  expect(events.map(({ reason, note }) => `${reason}: ${note}`)).toEqual([
    'LeaderElection: h_1 became leader',
    'CIDRNearlyFull: the range of the cluster is nearly full: 10.244.0.0/20 has 16 blocks of /24, 15 used and 0 excluded for Services',
    'LeaderElection: h_1 stopped leading',
  ])
})
